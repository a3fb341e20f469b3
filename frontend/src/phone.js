// Only whoever takes calls of a real provider loads this, and only when a line is set up.
import { Device } from "@twilio/voice-sdk";

window.Twilio = { Device };
