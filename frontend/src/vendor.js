// One file on purpose: htmx and the socket helper must be ready before any module of ours runs.
import htmx from "htmx.org/dist/htmx.esm.js";
import { WebSocket as ReconnectingWebSocket } from "partysocket";

window.htmx = htmx;
window.ReconnectingWebSocket = ReconnectingWebSocket;
