"""What a sentence asks its reader to do, by the concepts in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.instructions.concepts import Concepts
from skilllite_sandbox.scan.instructions.passages import Place, Sentence
from skilllite_sandbox.scan.words import words
from skilllite_sandbox.values import dataclass

_URL = re.compile(r"\b(?:https?|ftp|wss?)://[^\s)\"'>\]`]{3,300}", re.IGNORECASE)
_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6}")
_PROGRAM_URL = re.compile(
    r"(?:https?|ftp)://[^\s)\"'>\]`]{3,300}\.(?:zip|exe|dmg|pkg|msi|sh|7z|rar|run|appimage|deb|rpm"
    r"|scr|bat|cmd|ps1|command|apk|vbs|scpt)\b",
    re.IGNORECASE,
)
_WALLET = re.compile(
    r"\b(?:0x[0-9a-fA-F]{40}|bc1[a-z0-9]{25,60}|[13][1-9A-HJ-NP-Za-km-z]{26,34})\b"
)
_QUOTED = re.compile(r"[\"“«„`][^\"”»`]{4,400}[\"”»`]|(?<!\w)['‘][^'’]{8,400}['’](?!\w)")

_WEAK_PRIOR = words(
    """
    other any all every your existing original initial default everything system so up todas todos
    alle toutes tous все всё everything
    """
)
_WEAK_RULES = words(
    """
    rules constraints restrictions limitations orders commands training programming guidance
    policy policies
    """
)
_WEAK_SECRETS = words(
    """
    token tokens api cookies environment otp 2fa shadow wallet secret secrets keystore access auth
    session service verification signing .env dotenv
    """
)
_WEAK_COVERT = words(
    "silently quietly conceal conceals first behind silenciosamente silencieusement молча"
)
_HEAVY_ACTS = words(
    """
    delete send upload push force-push deploy transfer purchase buy sudo rm shell any terminal chmod
    install publish merge approve overwrite wipe drop execute instala installiere elimina borra
    remove
    """
)
_STRONG_DISABLE = words(
    """
    disable disables disabled turn switch turned deactivate bypass circumvent evade weaken exempt
    whitelist allowlist suppress desactiva deaktiviere umgehe désactive contourne отключи обойди get
    """
)
_WEAK_PROTECTION = words(
    "security permissions safety hooks audit scanner scanning monitoring protection"
)
_WEAK_AGENT_FILES = words(
    ".bashrc .zshrc .profile crontab settings.json cron git pre-commit startup .cursor "
    "mcp.json memory memory.md"
)
_WEAK_DESTROY = words("remove clear reset drop format truncate")
_WEAK_VALUABLES = words(
    """
    documents photos repository logs log database databases production backup evidence traces
    the
    """
)
_WEAK_MODES = words("debug maintenance test admin root")
_QUALIFIERS = words(
    """
    about that involving involves where on with when related regarding for in to which concerning of
    containing mentioning requiring over from using whose dealing like such against by within
    """
)
_REVIEWS_THIS = re.compile(
    r"\b(?:ai|llm|model|agent|assistant|bot|tool|scanner|you)s?\b.{0,60}?"
    r"\b(?:review|scan|audit|evaluat|analy[sz]|inspect|assess|vett|check|judg|rat(?:e|ing)|grad|classif|verif)\w*\s+(?:this|the|these)\b"
    r"|\b(?:note|attention|message|dear|hello|notice|instructions?)\s+(?:to|for)?\s*(?:the\s+|any\s+|all\s+)?"
    r"(?:\w+\s+){0,2}(?:scanner|reviewer|auditor|moderator|classifier|judge|evaluator|analy[sz]er|verifier)",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|>|\[/?INST\]"
    r"|<</?SYS>>|</?(?:system|system_prompt|system-reminder|system_instructions?|admin|developer)>"
    r"|^\s*(?:#{1,4}\s*)?\[?(?:SYSTEM|ADMIN|DEVELOPER|OPERATOR)(?:\s+(?:MESSAGE|OVERRIDE|NOTICE|PROMPT"
    r"|INSTRUCTIONS?|UPDATE|ALERT))?\]?\s*:\s*\S"
    r"|\b(?:BEGIN|END)\s+(?:OF\s+)?(?:SYSTEM|ADMIN|DEVELOPER|USER|NEW)\s+(?:MESSAGE|PROMPT|INSTRUCTIONS?)\b"
    r"|\[(?:SYSTEM|ADMIN)\s+(?:OVERRIDE|MESSAGE|NOTE|NOTICE)",
)
_FLAGS = re.compile(
    r"--dangerously-(?:skip|bypass|disable)[\w-]*|\bdangerously(?:Disable|Skip|Allow|Bypass)\w*|--yolo\b|--trust-all-tools|--no-permissions|bypassPermissions"
    r"|\"?(?:autoApprove|auto_approve|alwaysAllow)\"?\s*[:=]|--sandbox-level[ =]1\b"
    r"|sandbox[_ -]?level\s*(?:to|=|:|is)?\s*1\b"
    r"|--approval-mode[ =](?:full-auto|yolo|never)|--accept-tier\b|--skip-scan\b|--no-scan\b"
    r"|\"defaultMode\"\s*:\s*\"(?:bypass|acceptEdits)",
    re.IGNORECASE,
)
_PLACEHOLDER_IMAGE = re.compile(
    r"!\[[^\[\]\n]{0,200}\]\(https?://[^()\s]{1,300}(?:[{<\[$]|%s|%7[Bb]|=DATA|=CONTENT|=SECRET)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Request:
    """Something that a sentence asks for."""

    code: str
    severity: Severity = Severity.HIGH


_Rule = Callable[[Concepts, "Around"], Iterator[Request]]


@dataclass(frozen=True, slots=True)
class Around:
    """What stands near a sentence."""

    place: Place
    near: tuple[Concepts, ...]
    """The sentences before and after, itself too."""

    def has(self, *concepts: str) -> bool:
        """Whether one sentence nearby has all of these."""
        return any(all(concept in each for concept in concepts) for each in self.near)

    @property
    def url(self) -> bool:
        """Whether there is an address nearby."""
        return any(_URL.search(each.text) or _MAIL.search(each.text) for each in self.near)


def requests_of(sentence: Sentence, concepts: Concepts, around: Around) -> list[Request]:
    """Return what this sentence asks for; nothing when it describes or forbids it."""
    found: list[Request] = []
    for rule in _RULES:
        found.extend(rule(concepts, around))
    if found and is_described(sentence, concepts):
        found = [each for each in found if each.code in _ALWAYS and not _in_quotes(concepts)]
    return found


_ASKS_BACK = ("ask", "tell", "warn", "never", "avoid")
"""How phrases begin that refuse something only where an attack is spoken of."""
_ANSWERS = ("refuse", "reject", "decline", "escalate", "abort")
_ALWAYS = frozenset(("SL511",))  # what speaks to a checker says "malicious" by nature


def is_described(sentence: Sentence, concepts: Concepts) -> bool:
    """Whether the sentence tells of attacks instead of making one."""
    heading = Concepts(sentence.heading)
    if "protective" in heading or heading.has("bad", "wrong", "don't", "avoid", "never", "❌"):
        return sentence.place is not Place.HIDDEN
    if concepts.has("if", "when", "whenever") and concepts.has(*_ANSWERS):
        return True  # what to do when somebody else asks for it
    if "protective" not in concepts:
        refused = any(
            concepts.word(at) not in _ASKS_BACK for at in concepts.places.get("refuse", ())
        )
        return refused and _in_quotes(concepts)
    if "refuse" in concepts or _in_quotes(concepts):
        return True
    first = min(concepts.places["protective"])
    return first <= 3 and sentence.place is not Place.HIDDEN


def _in_quotes(concepts: Concepts) -> bool:
    return _QUOTED.search(concepts.text) is not None


def _earlier(c: Concepts, around: Around) -> Iterator[Request]:
    places = [at for at in c.pairs("override", "rules", 9) if not c.negated(at)]
    places += c.pairs("rules", "void", 8)
    if places and "prior" in c:
        strong = any(c.word(at) not in _WEAK_PRIOR for at in c.places["prior"])
        rules = any(c.word(at) not in _WEAK_RULES for at in c.places["rules"])
        if strong or rules:
            yield Request("SL501")
    elif (
        "void" in c and "rules" in c and c.has("pretend", "safety", "your", "you", "assume")
    ) or any(not c.negated(at) for at in c.pairs("override", "system_prompt", 12, ordered=False)):
        yield Request("SL501")


_DOING = (
    ("send", "private"),
    ("send", "secret"),
    ("collect", "secret"),
    ("write", "agent_file"),
    ("destroy", "valuable"),
    ("override", "rules"),
    ("plant", "weakness"),
    ("disable", "protection"),
)


_STEPS = words("step upload request transfer copy change action call edit anyone nobody")
_IGNORES = ("override", "rules")
_ACTS = ("run", "act", "send", "write", "fetch", "plant")


def _covert(c: Concepts, around: Around) -> Iterator[Request]:
    doing = any(around.has(*pair) for pair in _DOING) or (
        around.url and (around.has("send") or around.has("fetch"))
    )
    if "covert" in c:
        places = [at for at in c.places["covert"] if not c.negated(at, 12)]
        strong = [at for at in places if c.word(at) not in _WEAK_COVERT]
        acts = any(each.any(_ACTS) for each in around.near)
        here = any(all(each in c for each in pair) for pair in _DOING if pair != _IGNORES)
        told = any(c.word(at) not in ("keep", "between") for at in strong)
        if (strong and (doing or acts or told)) or (places and here):
            yield Request("SL502")
    for at in c.pairs("tell", "user", 12):
        if c.negated(at, 3) or c.pairs("not", "tell", 3):
            step = c.has(*_STEPS)
            yield Request("SL502", Severity.HIGH if doing or step else Severity.MEDIUM)
            return


def _is_heavy(c: Concepts) -> bool:
    """Whether it is about something that can't be taken back."""
    acts = c.places.get("act", ())
    return any(c.word(at) in _HEAVY_ACTS or not c.word(at) for at in acts)


def _unasked(c: Concepts, around: Around) -> Iterator[Request]:
    heavy = _is_heavy(c)
    if "preapproved" in c and any(not c.negated(at, 2) for at in c.places["preapproved"]):
        near = heavy or "run" in c or c.has("proceed", "declines", "refuses", "says")
        near = near or any(_is_heavy(each) for each in around.near)
        yield Request("SL503", Severity.HIGH if near else Severity.MEDIUM)
        return
    questions = c.has("question", "questions", "follow-up", "clarifying")
    for at in c.pairs("not", "ask", 4):
        if c.word(at - 1) in ("never", "not") or questions or "secret" in c:
            continue
        danger = heavy or any(around.has(*pair) for pair in _DOING)
        yield Request("SL503", Severity.HIGH if danger else Severity.LOW)
        return


_SENDS_OUT = ("exfiltrate", "upload", "leak", "transmit", "forward", "attach", "email")


def _secrets(c: Concepts, around: Around) -> Iterator[Request]:
    if "secret" not in c:
        return
    strong = any(c.word(at) not in _WEAK_SECRETS for at in c.places["secret"])
    taking = c.orders(c.pairs("collect", "secret", 12))
    sending = c.orders(c.pairs("send", "secret", 7))
    asks_for = c.has("ask", "request", "require", "tell", "prompt", "get") and (
        c.pairs("user", "secret", 9) or c.has("seed", "recovery", "mnemonic", "passphrase", "2fa")
    )
    if (
        (strong and sending)
        or (strong and taking and _is_passed_on(c, around))
        or (
            strong
            and asks_for
            and c.orders(
                at
                for at in (*c.pairs("ask", "secret", 12), *c.pairs("tell", "secret", 12))
                if not {"before", "whether"} & set(c.tokens[at + 1 : at + 5])
            )
        )
        or ((taking or sending) and "every" in c and ("answer" in c or around.url))
        or (taking and "covert" in c)
        or (sending and c.has(*_SENDS_OUT) and ("destination" in c or around.url))
    ):
        yield Request("SL504")


def _is_passed_on(c: Concepts, around: Around) -> bool:
    """Whether what was taken goes somewhere, here or in a sentence nearby."""
    if "send" in c or "answer" in c or _URL.search(c.text) or _MAIL.search(c.text):
        return True
    return any(
        each.any(("send", "plant")) and each.has("it", "them", "these", "contents", "result")
        for each in around.near
    )


def _sends_private(c: Concepts, around: Around) -> Iterator[Request]:
    if _PLACEHOLDER_IMAGE.search(c.text) is not None:
        yield Request("SL505")
        return
    address = _URL.search(c.text) or _MAIL.search(c.text)
    if "send" not in c or not (address or "destination" in c or around.url):
        return
    private = c.orders(c.pairs("send", "private", 12, ordered=False))
    repeated = (
        address
        and c.pairs("send", "every", 8, ordered=False)
        and (c.any(("request", "answer")) or c.has("file", "files"))
    )
    taken = (
        address and c.has("it", "them", "contents", "result") and around.has("collect", "private")
    )
    must = c.has("must", "should", "needs")
    if private or (repeated and (must or c.orders(c.places["send"]))) or taken:
        yield Request("SL505")


def _prerequisite(c: Concepts, around: Around) -> Iterator[Request]:
    program = _PROGRAM_URL.search(c.text)
    archive = c.has("zip", "archive", "rar", "7z", ".zip") or program
    password = c.has("password", "pass", "passcode", "contraseña", "passwort")
    if (
        (archive and password and c.any(("download", "fetch", "run")))
        or (program and c.orders(c.places.get("download", ())) and _is_needed(around))
        or ("paste" in c and "terminal" in c and (around.url or "prerequisite" in c))
    ) or (_URL.search(c.text) and c.has("it", "payload") and c.orders(c.pairs("fetch", "run", 14))):
        yield Request("SL506")
    elif "prerequisite" in c and c.orders(c.places.get("download", ())) and _URL.search(c.text):
        unknown = c.has("driver", "helper", "utility", "binary", "executable")
        yield Request("SL506", Severity.HIGH if unknown else Severity.MEDIUM)


def _is_needed(around: Around) -> bool:
    return around.has("prerequisite") or around.has("run")


def _disarms(c: Concepts, around: Around) -> Iterator[Request]:
    if _FLAGS.search(c.text) is not None:
        if not c.has("never", "not", "don't", "avoid"):
            yield Request("SL507")
        return
    switched = c.has("off", "false", "disabled") and c.has("turn", "switch", "set", "keep")
    raised = c.has("elevate", "escalate", "become") and c.has(
        "root", "administrator", "sudo", "admin"
    )
    if (switched and "protection" in c and not c.has("never", "not", "don't")) or raised:
        strong = any(c.word(at) not in _WEAK_PROTECTION for at in c.places.get("protection", ()))
        yield Request("SL507", Severity.HIGH if strong or raised else Severity.MEDIUM)
        return
    for at in c.pairs("disable", "protection", 7):
        if c.negated(at):
            continue
        strong = any(
            c.word(place) not in _WEAK_PROTECTION
            for place in c.places["protection"]
            if at < place <= at + 7
        )
        ordered = c.ordered_to(at) or c.has("must", "should")
        if ordered and (c.word(at) in _STRONG_DISABLE or strong):
            yield Request("SL507")
            return


def _steers(c: Concepts, around: Around) -> Iterator[Request]:
    for at in c.orders(c.pairs("write", "agent_file", 12)):
        files = [c.word(place) for place in c.places["agent_file"] if at < place <= at + 12]
        weak = all(word in _WEAK_AGENT_FILES for word in files)
        asked = c.has("if", "when") and c.has("asks", "wants", "agrees", "requests", "approves")
        heavy = (not weak and not asked) or "covert" in c or around.has("override")
        yield Request("SL508", Severity.HIGH if heavy else Severity.MEDIUM)
        return


def _leaks(c: Concepts, around: Around) -> Iterator[Request]:
    if any(not c.negated(at) for at in c.pairs("reveal", "system_prompt", 9)):
        yield Request("SL509")


def _claims(c: Concepts, around: Around) -> Iterator[Request]:
    described = around.place is Place.DESCRIPTION
    if "use_me" not in c and not described and "before_others" not in c:
        return
    universal = [
        at
        for at in c.pairs("every", "request", 4)
        if _is_open(c, at, next(b for b in c.places["request"] if at < b <= at + 4))
    ]
    others = [at for at in c.places.get("before_others", ()) if c.word(at) != "first"]
    first = c.has("first") and c.has("always", "must", "before")
    always = c.has("always", "must", "regardless", "whatever", "whenever", "should", "single")
    always = always or "before_others" in c
    if described and ((universal and "use_me" in c) or others or (first and "use_me" in c)):
        yield Request("SL510")
    elif not described and (("use_me" in c and universal and always) or others):
        named = c.has("skill", "skills", "tool", "tools") or ("use_me" in c and "every" in c)
        yield Request("SL510", Severity.HIGH if named else Severity.MEDIUM)


_BETWEEN = words(
    "user what and each single incoming of the my your possible kind or every user's other new"
)


def _is_open(c: Concepts, every: int, at: int) -> bool:
    """Whether it is any request at all, not one of a kind or about something."""
    if any(c.word(place) not in _BETWEEN for place in range(every + 1, at)):
        return False
    if c.has("regardless", "whatever", "matter"):
        return True
    after = [c.word(at + 1), c.word(at + 2)]
    return not any(word in _QUALIFIERS for word in after[: 2 if after[0] in ("you", "the") else 1])


_VERDICT = re.compile(
    r"\bverdict\b[\s\"':=]{1,5}(?:pass|safe|benign|clean|approved)\b", re.IGNORECASE
)
_CHECKERS = words(
    "reviewing scanner scanners reviewer reviewers auditor auditors security automated llm"
)


def _pleads(c: Concepts, around: Around) -> Iterator[Request]:
    vocative = any(
        at <= 2 and c.word(at) in _CHECKERS and {":", ","} & set(c.tokens[at + 1 : at + 4])
        for at in c.places.get("scanner", ())
    )
    speaks = vocative or _REVIEWS_THIS.search(c.text) is not None
    good = "good_verdict" in c
    if _VERDICT.search(c.text) is not None or (
        speaks and (good or "override" in c or ("verdict_verb" in c and "scanner" in c))
    ):
        yield Request("SL511")
    elif good and "scanner" in c and c.any(("verdict_verb",)):
        if c.pairs("self", "good_verdict", 10, ordered=False) and not c.has("if", "when", "unless"):
            yield Request("SL511")
    elif (
        good
        and "self" in c
        and c.has("security", "analyse", "analyze", "inspect", "scan")
        and ("team" in c.tokens or "do not" in c.text.lower())
    ) or (
        c.has("scanner", "scanners", "reviewers", "reviewer", "auditors")
        and c.pairs("self", "good_verdict", 8, ordered=False)
    ):
        yield Request("SL511")


def _imitates(c: Concepts, around: Around) -> Iterator[Request]:
    match = _TURNS.search(c.text)
    if match is not None:
        quoted = around.place is Place.FENCE or f"`{match.group()[:4]}" in c.text
        plain = match.group().strip().lower().startswith(("system:", "admin:", "developer:"))
        yield Request(
            "SL512", Severity.LOW if quoted else Severity.MEDIUM if plain else Severity.HIGH
        )


def _obeys_content(c: Concepts, around: Around) -> Iterator[Request]:
    """Content of others is data; who is told to obey it can be steered by anybody."""
    content = c.has(
        "web", "page", "pages", "issue", "issues", "email", "emails", "comments", "text"
    )
    as_order = c.has("treat", "whatever", "any") and "steps" in c and "as data" not in c.text
    if content and as_order and c.orders(c.places.get("follow", ())):
        yield Request("SL513")


def _elsewhere(c: Concepts, around: Around) -> Iterator[Request]:
    address = _URL.search(c.text) or c.has("url", "gist", "remote", "webpage", "endpoint")
    if not address or c.has("installation", "setup", "license"):
        return
    if (
        (c.orders(c.pairs("fetch", "follow", 25)) and c.pairs("follow", "steps", 8, ordered=False))
        or (around.url and c.has("them", "it", "do") and c.orders(c.pairs("fetch", "follow", 12)))
        or (_URL.search(c.text) and "steps" in c and c.has("real", "actual", "remaining", "live"))
    ):
        yield Request("SL513")
    elif (
        c.orders(c.places.get("fetch", ()))
        and _URL.search(c.text)
        and around.has("follow", "steps")
    ):
        within = [each for each in around.near if each.orders(each.pairs("follow", "steps", 6))]
        if any(
            each.has("it", "contains", "returned", "fetched", "there", "response")
            for each in within
        ):
            yield Request("SL513")


_WHOLE = words("home disk root system desktop documents machine computer project repository user's")


def _destroys(c: Concepts, around: Around) -> Iterator[Request]:
    for at in c.orders(c.pairs("destroy", "valuable", 7)):
        value = [c.word(b) for b in c.places["valuable"] if at < b <= at + 7]
        strong = c.word(at) not in _WEAK_DESTROY or c.has("all", "entire")
        tracks = c.has("trace", "traces", "nobody", "evidence") or len(set(value)) > 1
        inside = c.has("in", "under", "matching") and not c.has(*_WHOLE)
        if strong and not inside and (tracks or any(word not in _WEAK_VALUABLES for word in value)):
            yield Request("SL514")
            return
        if strong:
            yield Request("SL514", Severity.HIGH if "covert" in c else Severity.MEDIUM)
            return


def _plants(c: Concepts, around: Around) -> Iterator[Request]:
    if c.orders(c.pairs("plant", "weakness", 8)):
        yield Request("SL515")
        return
    address = _URL.search(c.text) or _MAIL.search(c.text)
    always = c.has("always", "every", "each", "all", "any", "whenever", "regardless")
    each_answer = c.pairs("every", "answer", 3)
    planted = [at for at in c.places.get("plant", ()) if not c.negated(at)]
    if (address and each_answer and planted) or (
        _MAIL.search(c.text) and c.has("bcc", "cc", "forward") and (always or "covert" in c)
    ):
        yield Request("SL515")
    elif c.orders(c.places.get("recommend", ())) and (address or "brand" in c) and always:
        biased = (
            address
            or "before_others" in c
            or c.has("our", "only", "sponsored", "affiliate", "never", "regardless")
        )
        yield Request("SL515", Severity.HIGH if biased or "covert" in c else Severity.MEDIUM)


def _frees(c: Concepts, around: Around) -> Iterator[Request]:
    spoken_to = c.has("you", "you're", "your", "eres", "du", "tu", "ты", "вы") or not c.tokens
    for at in c.pairs("become", "free", 9):
        modes = {c.word(b) for b in c.places["free"]}
        if not c.negated(at) and (spoken_to or modes - _WEAK_MODES):
            yield Request("SL516")
            return


_DECODED = words("it them this that what result results output commands instructions contents text")


def _decodes(c: Concepts, around: Around) -> Iterator[Request]:
    for name in ("follow", "run"):
        for at in c.pairs("decode", name, 14):
            ordered = c.ordered_to(at) or (c.has("below", "following") and c.orders(c.places[name]))
            after = {word for b in c.places[name] if b > at for word in c.tokens[at + 1 : b + 4]}
            if ordered and not c.negated(at) and after & _DECODED:
                yield Request("SL517")
                return


def _pays(c: Concepts, around: Around) -> Iterator[Request]:
    if c.has("bank", "iban", "wallet", "payment", "recipient") and c.orders(
        c.pairs("write", "money", 5)
    ):
        yield Request("SL518")
    places = c.orders(c.pairs("pay", "money", 7))
    if places and (_WALLET.search(c.text) or c.has("all", "entire", "immediately")):
        yield Request("SL518")


_RULES: tuple[_Rule, ...] = (
    _earlier,
    _covert,
    _unasked,
    _secrets,
    _sends_private,
    _prerequisite,
    _disarms,
    _steers,
    _leaks,
    _claims,
    _pleads,
    _imitates,
    _elsewhere,
    _obeys_content,
    _destroys,
    _plants,
    _frees,
    _decodes,
    _pays,
)
