"""Why a mail was not delivered, read from what mail servers say and from their status codes (RFC 3463).

Servers use the codes loosely (5.7.1 means anything), so the words are read first and the code last.
"""

from __future__ import annotations

import re
from enum import StrEnum


class BounceReason(StrEnum):
    """One reason for each thing that a person could do about it."""

    ADDRESS_UNKNOWN = "address_unknown"
    ADDRESS_MOVED = "address_moved"
    DOMAIN_UNKNOWN = "domain_unknown"
    DOMAIN_REFUSES_MAIL = "domain_refuses_mail"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_DISABLED = "mailbox_disabled"
    RECIPIENT_REFUSED = "recipient_refused"
    SENDER_REFUSED = "sender_refused"
    SERVER_BLOCKED = "server_blocked"
    BAD_REPUTATION = "bad_reputation"
    AUTHENTICATION_FAILED = "authentication_failed"
    REVERSE_DNS_MISSING = "reverse_dns_missing"
    NOT_COMPLIANT = "not_compliant"
    POLICY = "policy"
    SECURITY = "security"
    SPAM = "spam"
    VIRUS = "virus"
    CONTENT = "content"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    RELAY_DENIED = "relay_denied"
    EXPIRED = "expired"
    NETWORK = "network"
    SYSTEM = "system"
    SYSTEM_FULL = "system_full"
    MAILER = "mailer"
    SYNTAX = "syntax"
    ON_HOLD = "on_hold"
    COMPLAINT = "complaint"
    UNKNOWN = "unknown"


# The address itself is dead; everything else may work another day or after a change on our side.
HARD_REASONS = frozenset(
    {
        BounceReason.ADDRESS_UNKNOWN,
        BounceReason.ADDRESS_MOVED,
        BounceReason.DOMAIN_UNKNOWN,
        BounceReason.DOMAIN_REFUSES_MAIL,
    }
)

_R = BounceReason
_WHO = r"(?:user|mailbox|mail ?box|recipient|account|address|e-?mail(?: address)?|local[- ]part|person|alias|inbox)"

# First match wins: the narrow phrases stand before the wide ones.
_PHRASES: tuple[tuple[BounceReason, str], ...] = (
    (_R.MAILER, r"procmail|maildrop|mailer error|command (?:died|failed|output)|exited with|\|ifs="),
    (
        _R.NETWORK,
        r"unexpected name server reply|host not found, try again|hop count|too many hops|mail loop|loops? back|looping",
    ),
    (_R.SYNTAX, r"incorrectly constructed|malformed (?:recipient )?address|may not follow"),
    (_R.EXPIRED, r"message expired|delivery time expired|retry timeout exceeded|time limit exceeded"),
    (
        _R.DOMAIN_REFUSES_MAIL,
        r"null ?mx|does(?: not|n't) accept (?:any )?(?:e-?)?mail\b(?! from)|no smtp service|smtp protocol returned a permanent|"
        r"(?:domain|host|server) (?:\S+ )?(?:does not|doesn't) (?:accept|receive|support) (?:any )?(?:e-?)?mail|"
        r"only configured to send|mail receiving disabled|recipient domain .{0,60}no longer",
    ),
    (
        _R.VIRUS,
        r"\bvirus|malware|infected|prohibited attachment|attachment .{0,40}(?:not allowed|blocked)|blocked file type|"
        r"dangerous attachment|executable attachment|potentially (?:harmful|executable)|security issue with (?:the|your) message",
    ),
    (
        _R.AUTHENTICATION_FAILED,
        r"\bdmarc|\bspf\b|\bdkim|sender policy framework|unauthenticated (?:e-?)?mail|unauthenticated sender|"
        r"(?:message|sender|mail) (?:is|was|does|did) not (?:pass )?authenticat\w+ (?:check|require)|"
        r"not pass (?:sender )?authentication|authentication(?:-| )results|email authentication|"
        r"sending domain .{0,60}(?:authenticat|level)|requires? all senders to authenticate|authentication checks",
    ),
    (
        _R.REVERSE_DNS_MISSING,
        r"reverse[ -]dns|\bptr\b|\brdns\b|reverse (?:lookup|hostname|mapping)|(?:cannot|can't|could not|unable to) find your (?:reverse )?hostname|"
        r"cannot resolve your (?:address|host)|client host ?name (?:not|cannot)|ip name lookup failed|does not resolve to|"
        r"unresolvable relay host|without (?:a )?(?:valid )?(?:reverse|hostname)|no hostname|fcrdns|forward[- ]confirmed",
    ),
    (
        _R.MAILBOX_FULL,
        r"(?:mail ?box|inbox|mailfolder|account|user|recipient|maildir|mail drop)\b[^.;]{0,60}\b(?:is full|full\b|is (?:almost )?over ?(?:quota|drawn)|"
        r"over (?:the )?(?:quota|its|size|storage|disk)|exceed\w*|has reached|too large|no (?:space|room)|out of (?:space|storage)|"
        r"limit (?:reached|exceeded))|"
        r"over ?quota|quota[- ](?:exceed|limit|violation|full)|quota (?:is )?(?:exceeded|full|over)|exceed\w* (?:the |its |his |her )?"
        r"(?:\w+ ){0,3}(?:quota|mailbox size|storage|disk space|mailbox limit|allocated)|"
        r"(?:mailbox|inbox) ?full|full mailbox|storage (?:quota|allocation) exceeded|(?:disk|storage|mail) quota|diskquota|"
        r"insufficient (?:user )?(?:quota|disk quota)|not enough (?:storage |disk )?space (?:in|for) (?:the )?(?:recipient|mailbox|user)|"
        r"no space left for this user|mailbox (?:size )?limit|would (?:be over|exceed) .{0,30}quota|boite pleine|bo[iî]te .{0,40}(?:pleine|satur)|"
        r"buz[oó]n (?:est[aá] )?(?:lleno|completo)|caixa (?:de entrada |de correio )?(?:est[aá] )?cheia|casella .{0,20}piena|postfach .{0,40}voll|容量|メールボックスが",
    ),
    (
        _R.ADDRESS_MOVED,
        r"has moved|address(?:ee)? (?:has )?(?:changed|moved)|no forwarding address|been (?:replaced|moved) (?:by|to)|new (?:e-?mail )?address is|user has moved",
    ),
    (
        _R.MAILBOX_DISABLED,
        r"(?:account|mailbox|user|address|recipient|inbox)(?: \S+@\S+)?(?: \S+)?[^.;]{0,40}\b(?:disabled|suspended|deactivated|de-activated|frozen|locked|inactive|"
        r"not active|blocked due to inactivity|discontinued|terminated|closed|archived|on hold|is unavailable due to)|"
        r"(?:disabled|suspended|inactive|deactivated|closed|frozen|locked|expired) (?:account|user|mailbox|recipient|address)|user suspended|"
        r"recipient suspend|account (?:that you tried to reach )?is (?:disabled|inactive)|temporar(?:y|ily) (?:locked|disabled|suspended|inactive)|"
        r"boite du destinataire archiv|account is (?:not active|locked)|account has been (?:disabled|suspended|closed)|the user\(s\) account is|"
        r"not being accepted for this mailbox|domain (?:has been |is )?(?:suspended|disabled|inactive)|cuenta (?:est[aá] )?(?:deshabilitada|suspendida|desactivada)",
    ),
    (
        _R.ADDRESS_UNKNOWN,
        r"user[ -]?unknown|unknown user|no such (?:user|recipient|mailbox|address|person|account)|user (?:does not|doesn't) exist|"
        r"no mailbox (?:here )?by that name|unknown (?:recipient|mailbox|local[- ]part|address)|recipient (?:unknown|not found|does not exist)|"
        r"mailbox (?:not found|does not exist)|(?:user|address|account) (?:<> )?not found|recip(?:ient)?notfound|not a known user|"
        r"(?:email|e-mail) (?:account|address) (?:that you tried to reach )?(?:does not exist|could not be found)",
    ),
    (
        _R.TOO_LARGE,
        r"message (?:size )?(?:is )?(?:too (?:large|big|long)|exceed\w*)|(?:max(?:imum)?|fixed|allowed|maximal) (?:\w+ )?(?:message |mail )?size|size limit|message[- ]too[- ](?:large|big)|"
        r"size of (?:the|this|your) message|exceeds? (?:the |its )?(?:\w+ ){0,3}(?:message size|size|max(?:imum)?)|message header size|line (?:limit|length) exceeded|line too long|"
        r"too (?:large|big) (?:message|mail|for)|message length|maximum message|rst\.recipsizelimit|rst\.sendsizelimit|sizelimit|data size exceeded|mensaje .{0,20}demasiado grande",
    ),
    (
        _R.RATE_LIMITED,
        r"rate[- ]?limit|too many (?:concurrent |simultaneous |open |recent )?(?:connections?|sessions?|messages?|mails?|e-?mails?|recipients|emails|errors|requests|transactions)|"
        r"connection (?:rate|limit|count)|throttl|(?:sending|receiving|daily|hourly) (?:\w+ )?(?:limit|quota|rate)|receiving mail at a rate|limit (?:on|for) (?:the )?number|"
        r"exceed\w* (?:the |your )?(?:\w+ ){0,3}(?:rate|connections|number of messages|messages per|sending)|mail sent too (?:fast|quickly)|slow down|please try again slower|"
        r"max(?:imum)? (?:connections|messages|recipients)|too (?:fast|frequent)|out of rate|concurrency limit",
    ),
    (
        _R.SYSTEM_FULL,
        r"insufficient (?:disk|system|storage|memory|server)|(?:disk|filesystem|file system|mail system|queue|server) (?:is )?full|no space left on|not enough (?:disk|memory|free|system)|"
        r"out of (?:disk|memory)|mail system full|low on (?:disk|memory|storage)",
    ),
    (
        _R.NOT_COMPLIANT,
        r"rfc ?(?:5322|2822|822|5321|2821|1035|6532)|not (?:rfc|5322|compliant)|(?:duplicate|multiple|missing|invalid|no|malformed|empty) (?:\S+ ){0,2}headers?\b|non-?compliant|bare (?:lf|linefeed|newline)|"
        r"message is not rfc|header (?:is )?(?:missing|malformed|invalid)|nonempty 'from'|'from' header|messages? (?:without|missing) a? ?(?:valid )?(?:from|date|message-id|header)|lone (?:cr|lf)|multiple addresses in from",
    ),
    (
        _R.RELAY_DENIED,
        r"relay(?:ing)? (?:access )?(?:is )?(?:den|not|prohibit|restrict|operation|refus|disallow)|unable to relay|(?:not (?:allowed|permitted|authori[sz]ed) to|cannot|can't|won't|refus\w+ to|no|insecure|domain) relay|"
        r"we (?:do not|don't) relay|relay (?:access|not)|not (?:a|an) open relay|must authenticate|authentication (?:is )?required|not local|rcpthosts|isn't in my list of allowed|not (?:handled|hosted) here|send the mail through",
    ),
    (
        _R.SENDER_REFUSED,
        r"sender (?:(?:e-?mail )?address )?(?:is |was |has been |not )?(?:reject|den|invalid|unknown|verif|pre-approved|domain|does not exist|not (?:allowed|exist|found|accept|permitted|authori))|"
        r"invalid sender|(?:null|empty|<>) (?:envelope )?senders?|bad sender|(?:unroutable|unknown|unverified) sender|domain of (?:the )?sender|from address|mail from (?:not|domain)|batv|"
        r"envelope (?:sender|blocked|from)|backscatter|sender.{0,30}verify failed|(?:not|n't) (?:a registered gateway user|permitted to send|allowed to (?:send|post))|"
        r"e2110|your (?:e-?mail )?(?:address|domain) (?:is|has been|was) (?:not |rejected|denied|blocked)|sender(?:'s)? (?:is )?(?:blocked|blacklisted|spammer|rejected|on .{0,20}list)|"
        r"access denied \(in reply to mail from|e-?mail address is not verified|not authori[sz]ed to send|bounce ?deny|no third-party dsns|bogus mail from|invalid mail from|"
        r"(?:you|sender) (?:may|do|does) not have permission|(?:not|n't) have permission to post|google groups|group .{0,60}(?:may not exist|not have permission)",
    ),
    (
        _R.BAD_REPUTATION,
        r"reputation|senderscore|sender score|low (?:score|trust)|very low rep|unusual rate of unsolicited|temporarily deferred due to (?:user|unexpected)|poor (?:sending|ip)|has a history of",
    ),
    (
        _R.SPAM,
        r"\bspam(?!haus|cop)|junk ?mail|\bunsolicited|\bube\b|\buce\b|bulk (?:e-?)?mail|content (?:was )?(?:classified|looks like)|bayes|phish|(?:message|mail|e-?mail) (?:was |has been |is )?(?:classified|identified|flagged|considered|detected)|"
        r"spamassassin|hits? required|anti-?spam|high probability of|(?:message|mail) score|blocked by content filter|not (?:like|want) the content|advertis",
    ),
    (
        _R.SERVER_BLOCKED,
        r"black ?list|block ?list|\brbls?\b|dnsbl|spamhaus|spamcop|barracuda|proofpoint|sorbs|\buceprotect|(?:ip|ips|ip address|client|network|\d{1,3}(?:\.\d{1,3}){3}\]?)\b[^.;]{0,50}\b(?:is |was |has been |been |are )?(?:blocked|banned|listed|denied|not allowed|rejected)|"
        r"blocked (?:by|for|using|-|due|because|address)|client host|smtp server of your isp|dynamic (?:ip|host|address|or)|generic (?:ptr|dns|host)|residential|go away|no access from mail server|access (?:from|denied\W+ip)|"
        r"connection (?:dropped|refused by|reset|rejected|not allowed)|(?:helo|ehlo)\b[^.;]{0,40}(?:reject|invalid|denied|mismatch|refus|not)|invalid domain name|open (?:relay|proxy|http|socks)|we do not accept mail from|"
        r"not accept(?:ing)? (?:e-?mails?|mail|connections?|messages) from (?:your|this|the|host|server|ip|dynamic|\[?\d)|name was rejected|blocked for abuse|bad (?:host|helo)|mail server at .{0,60}blocked|error ?code:? ?(?:554\.?|s\d{4})|greylist(?:ed|ing)? by ip",
    ),
    (
        _R.SECURITY,
        r"security (?:violation|policy|error)|starttls|\btls\b|encrypt|certificate|ssl|cannot (?:establish|negotiate)|access control|authentication (?:fail|credentials|unsuccessful|error|invalid)|"
        r"(?:bad|invalid) (?:credentials|username or password)|account (?:does not|not) .{0,30}smtp auth|not authenticated|permission denied|executable content|dnssec|"
        r"(?:e-?mail|message) (?:is )?not accepted because .{0,60}contains? (?:an? )?(?:attach|executable)",
    ),
    (
        _R.POLICY,
        r"policy|polic(?:ies|y) (?:violation|reason)|administrative(?:ly)? (?:prohibit|denied|reject)|prohibited by|not (?:accepted|allowed|permitted) (?:for|by|due)|violat|too many hops in|not accept\w* .{0,30}reasons|"
        r"(?:rule|rules|filter) (?:reject|imposed)|delivery not authori[sz]ed|rejected by (?:rule|admin|local|custom|the recipient's (?:mail )?server rule)|you have sent|restricted|blocked by (?:the )?(?:admin|custom)|protection",
    ),
    (
        _R.RECIPIENT_REFUSED,
        r"message filtered|(?:blocked|rejected|refused|denied) by (?:the )?(?:user|recipient|addressee|mailbox owner)|recipient preferences|only accept\w* (?:mail|messages|e-?mail) from (?:specific|known|certain|allowed|authenticated)|user reject|refuses? to receive|"
        r"restricted sms|not accepting (?:any )?mail|rst\.notauthorized|protected by|rejects? (?:your|all) mail|recipient (?:has )?(?:refused|rejected|blocked)|whitelist|5\.1\.351|remote server returned message detected|not on .{0,20}safe",
    ),
    (
        _R.DOMAIN_UNKNOWN,
        r"(?:host|domain|host ?name|name service|mail ?server|site|system)\b[^;]{0,60}\b(?:unknown|not found|not ?exist\w*|does(?: not|n't) exist|is (?:not valid|invalid|unreachable by name)|lookup (?:fail|error)|could not be (?:found|resolved))|"
        r"(?:unknown|non-?existent|no such|invalid|bad|unrouteable|unroutable|illegal|unrouteable mail) (?:mail )?(?:host|domain|domain name|hostname|system|destination|address domain)|nxdomain|dns (?:error|name not found|lookup failed|failure|type)|"
        r"unroutable address|unrouteable address|all (?:relevant )?mx records point|no (?:mx|mail exchanger|valid mx|a or mx|mx or a|valid hosts?|answer from|route to domain)|name or service not known|nodename nor servname|domain name not found|"
        r"couldn't find any host|can(?:no|')t (?:find|resolve) (?:host|domain|any|the host|mail server)|mail domain mentioned in|(?:address|recipient)['s]* domain|host or domain name not|could not (?:resolve|route)|unresolvable|invalid domain|"
        r"failed to find .{0,20}host|ホスト名が|ドメイン名が",
    ),
    (
        _R.ADDRESS_UNKNOWN,
        rf"(?:unknown|no such|invalid|non-?exist\w*|not (?:a )?(?:valid|known|existing|our)|bad|illegal|wrong|incorrect|missing|nonexistent|undeliverable|unrecogni[sz]ed|obsolete) (?:or \w+ )?(?:destination |virtual |local |e-?mail |mail |final |envelope |target |rcpt )?{_WHO}|"
        rf"{_WHO}(?:\(s\)|es|s)?\b[^;]{{0,80}}?\b(?:is |was |were |are |does |do |did |could |has |have |can |isn't |doesn't |cannot |can't |no longer |not )?(?:unknown|invalid|incorrect|not (?:be )?(?:found|known|exist\w*|valid|recogni[sz]ed|listed|local|present|ok|accepted|here|available|active|a (?:valid|known)|on this|in (?:the |our |my )?(?:director|list|valid))|"
        rf"(?:doesn'?t|does not|do not|don't|didn't|n't) (?:exist|have an?)|nonexistent|non-existent|no longer (?:valid|exists|active|available|in use|accept\w*|on|with|works?|employed|monitored)|unavailable|undeliverable|rejected|notfound|mistyped)|"
        r"(?:no|not an?) (?:mail ?box|account|user|recipient|person|one|longer|valid recipients?|inbox)\b[^;.]{0,40}\b(?:here|by that|by this|with that|found|at this|available|this name|exists?|address|for this)|"
        r"sorry, no mailbox|there is no (?:one|user|such)|recipnotfound|recipientnotfound|resolver\.adr|adr\.exrecip|not our (?:customer|user)|"
        r"user ?unknown|user ?not ?(?:found|known|exist)|no ?such|mailbox ?(?:not ?found|unavailable|invalid)|email account that you tried to reach does not|couldn't be found|wasn't found|could ?n[o']t (?:be )?f(?:ound|ind)|"
        r"badrcptto|validrcptto|badrecipientto|recipient address rejected|address rejected|rejected recipient|5\.1\.1\b|5\.1\.10\b|not exist|does not have an? (?:\S+ ){0,3}account|"
        r"n'existe pas|introuvable|inconnu|adresse (?:d au moins un destinataire )?invalide|no existe|usuario desconocido|desconocid|destinatario (?:no|inv|des)|n[aã]o (?:existe|encontrad)|inexistente|usu[aá]rio desconhecido|nessun utente|inesistente|sconosciuto|"
        r"existiert nicht|unbekannt|nicht gefunden|nicht bekannt|onbekend|nie istnieje|bestaat niet|не существует|не найден|неизвестн|宛先不明|見つかりません|存在しません|不存在|无效的(?:收件人|地址)|user is not found|account not|unknown address|mailbox name not allowed|bad destination",
    ),
    (
        _R.MAILER,
        r"command (?:failed|died|output|line usage|time|timed|not)|exit(?:ed)? (?:with )?(?:status|code|value)|procmail|maildrop|x-unix|mailer (?:error|died)|pipe to|\|/|local(?: delivery)? agent|can't create output|signal \d+|transport .{0,40}defer|delivery agent|lmtp",
    ),
    (
        _R.EXPIRED,
        r"expired|too old|(?:time|timed)[ -]?out|delivery (?:time|has been) (?:expired|delayed)|in (?:the )?queue (?:too|for)|could not be delivered (?:for|within|in)|not be delivered (?:for|after|within)|unable to deliver (?:in|for|within|after)|(?:maximum|max) (?:retr|time|queue|number of (?:attempts|retries))|"
        r"has been (?:delayed|deferred)|retry (?:time(?:out)?|limit|count)|delivery (?:attempts|delayed)|giving up after|been in the queue|still undelivered|will (?:be retried|keep trying|continue to try)|warning(?: message)? only|not yet been delivered|connection (?:timed|refused)|host unreachable|days? old|"
        r"undeliverable for|delayed|deferred|exceeded max time|undelivered for|retries",
    ),
    (
        _R.NETWORK,
        r"network|unreachable|(?:no|connection) route|hop ?count|too many hops|mail (?:loop|is looping|forwarding loop)|loops? (?:back|detected)|looping|routing loop|message loop|connection (?:lost|aborted|closed|failed|error)|lost connection|broken pipe|host (?:is )?down|name service error|malformed or unexpected name server|"
        r"could not (?:connect|contact)|(?:unable|failed|cannot|can't) to? ?connect|dns (?:time|server|temporary)|bad file descriptor|host not responding|no (?:answer|response) from|temporary (?:dns|lookup|name)|socket|remote protocol error|server (?:did not|not) respond",
    ),
    (
        _R.SYNTAX,
        r"syntax|malformed|command (?:not )?(?:implemented|unrecogni[sz]ed|out of sequence|rejected)|unrecogni[sz]ed command|bad sequence|improper|incorrectly constructed|parameter|does not advertise auth|nested mail|bad command|error in .{0,20}command|protocol error",
    ),
    (
        _R.CONTENT,
        r"content|mime|body|charset|conversion|8bit|attachment|encoding|html|subject|message (?:format|filtered)|improper use",
    ),
    (
        _R.SYSTEM,
        r"(?:local|internal|system|server|configuration|resource|transaction|temporary|service|processing|queue|permanent|unknown|general|technical|unexpected) ?(?:file|server|delivery|local|system|software|mail)? ?(?:error|fail\w*|problem|unavailable|trouble|config|currently|not available|limit)|"
        r"service (?:currently |temporarily )?(?:unavailable|not available|refused)|cannot (?:open|lock|append|chdir|write|access|exec)|can't (?:create|open|write)|unable to (?:open|lock|process|chdir|append|forward|deliver)|interrupted|try again later|temporarily|i/o error|cname lookup|out of service|aliasing|alias(?:es)?\b|duplicated message|mailing list|not running|"
        r"proxy error|sasl|exception|bug|maintenance|server (?:busy|down|is)|message could not be (?:processed|deliver)|rejected by (?:the )?(?:remote|other)|cannot be (?:processed|delivered)",
    ),
)
_COMPILED = tuple((reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _PHRASES)

_BY_STATUS = {
    "1.0": _R.ADDRESS_UNKNOWN, "1.1": _R.ADDRESS_UNKNOWN, "1.2": _R.DOMAIN_UNKNOWN, "1.3": _R.ADDRESS_UNKNOWN,
    "1.4": _R.RECIPIENT_REFUSED, "1.5": _R.RECIPIENT_REFUSED, "1.6": _R.ADDRESS_MOVED, "1.7": _R.SENDER_REFUSED,
    "1.8": _R.SENDER_REFUSED, "1.9": _R.SENDER_REFUSED, "1.10": _R.ADDRESS_UNKNOWN, "2.0": _R.RECIPIENT_REFUSED,
    "2.1": _R.MAILBOX_DISABLED, "2.2": _R.MAILBOX_FULL, "2.3": _R.TOO_LARGE, "2.4": _R.RECIPIENT_REFUSED,
    "3.0": _R.SYSTEM, "3.1": _R.SYSTEM_FULL, "3.2": _R.DOMAIN_REFUSES_MAIL, "3.3": _R.SYSTEM, "3.4": _R.TOO_LARGE,
    "3.5": _R.SYSTEM, "4.0": _R.NETWORK, "4.1": _R.EXPIRED, "4.2": _R.NETWORK, "4.3": _R.SYSTEM,
    "4.4": _R.DOMAIN_UNKNOWN, "4.5": _R.SYSTEM_FULL, "4.6": _R.NETWORK, "4.7": _R.EXPIRED, "4.14": _R.NETWORK,
    "5.0": _R.SYNTAX, "5.1": _R.SYNTAX, "5.2": _R.SYNTAX, "5.3": _R.RATE_LIMITED, "5.4": _R.SYNTAX, "5.6": _R.SYNTAX,
    "6.0": _R.CONTENT, "6.1": _R.CONTENT, "6.2": _R.CONTENT, "6.3": _R.CONTENT, "6.5": _R.SYNTAX, "6.9": _R.CONTENT,
    "7.0": _R.SECURITY, "7.2": _R.RECIPIENT_REFUSED, "7.3": _R.SECURITY, "7.4": _R.SECURITY, "7.5": _R.SECURITY,
    "7.6": _R.SECURITY, "7.7": _R.SECURITY, "7.8": _R.SECURITY, "7.9": _R.SECURITY, "7.13": _R.MAILBOX_DISABLED,
    "7.17": _R.ADDRESS_MOVED, "7.18": _R.ADDRESS_MOVED, "7.20": _R.AUTHENTICATION_FAILED, "7.21": _R.AUTHENTICATION_FAILED,
    "7.22": _R.AUTHENTICATION_FAILED, "7.23": _R.AUTHENTICATION_FAILED, "7.24": _R.AUTHENTICATION_FAILED,
    "7.25": _R.REVERSE_DNS_MISSING, "7.26": _R.AUTHENTICATION_FAILED, "7.27": _R.SENDER_REFUSED, "7.28": _R.SPAM,
    "7.509": _R.AUTHENTICATION_FAILED, "7.515": _R.AUTHENTICATION_FAILED,
}  # fmt: skip
# Codes that leave no doubt, whatever the words around them.
_DECISIVE = {"1.6", "2.2", "7.25", "7.26", "7.23", "7.20", "7.509"}
_VAGUE = {BounceReason.SYSTEM, BounceReason.CONTENT, BounceReason.POLICY, BounceReason.SYNTAX}
_VAGUE_DETAILS = {"0.0", "1.0", "2.0", "3.0", "4.0", "4.7", "5.0", "7.0", "7.1", "7.2", "7.7", "7.8", "7.9"}
_HAS_NO_ACCOUNT = re.compile(r"(?:does not|doesn't|do not|don't) have an? (?:\S+ ){0,3}account", re.IGNORECASE)
_DATA_STAGE = re.compile(
    r"in reply to (?:the )?(?:end of )?data|after (?:end of )?data|after end of data|>>> data|step: data|smtp command\s+data|\[data\]",
    re.IGNORECASE,
)
_MAIL_STAGE = re.compile(r"in reply to (?:the )?mail from|after mail from|>>> mail from|\[mail_?from\]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@,;:()\[\]\"']{1,64}@[^\s<>@,;:()\[\]\"']{1,253}")
_URL = re.compile(r"https?://([^/\s]{1,100})\S{0,300}")


def classify(diagnostic: str, status: str = "") -> BounceReason:
    """The reason for one failed recipient. `diagnostic` is the server's words, `status` like `5.1.1`.

    UNKNOWN when neither says anything. Never raises; linear in the length of the words.
    """
    detail = status.partition(".")[2]
    if detail in _DECISIVE:
        return _BY_STATUS[detail]
    words = _read_words(diagnostic)
    by_status = _BY_STATUS.get(detail, BounceReason.UNKNOWN)
    if words is BounceReason.UNKNOWN:
        return _on_hold(by_status, status, diagnostic)
    if words in _VAGUE and by_status is not BounceReason.UNKNOWN and detail not in _VAGUE_DETAILS:
        return by_status
    if words is BounceReason.RECIPIENT_REFUSED and detail in ("1.1", "1.10"):
        return BounceReason.ADDRESS_UNKNOWN
    return words


def _on_hold(by_status: BounceReason, status: str, diagnostic: str) -> BounceReason:
    if by_status is BounceReason.UNKNOWN and diagnostic.strip() and status:
        return BounceReason.ON_HOLD
    return by_status


def _read_words(diagnostic: str) -> BounceReason:
    plain = " ".join(_URL.sub(r"\1", diagnostic[:4000]).split())
    is_data = bool(_DATA_STAGE.search(diagnostic[:4000]))
    plain = _ADDRESS.sub("<>", plain)
    for reason, pattern in _COMPILED:
        if pattern.search(plain):
            if reason is BounceReason.ADDRESS_UNKNOWN:
                return _unknown_at_stage(plain, is_data)
            return reason
    return BounceReason.UNKNOWN


def _unknown_at_stage(plain: str, is_data: bool) -> BounceReason:
    if is_data and not _HAS_NO_ACCOUNT.search(plain):
        # The address was accepted at RCPT, so it exists; somebody's filter chose these words.
        return BounceReason.RECIPIENT_REFUSED
    if _MAIL_STAGE.search(plain):
        return BounceReason.SENDER_REFUSED
    return BounceReason.ADDRESS_UNKNOWN
