"""Does a prompt ask who answers? In English, German and French; the other half of `selfnaming`."""

# ruff: noqa: E501 - patterns read better whole
from __future__ import annotations

import re

from arena.battles.folding import fold, without_digits_for_letters
from arena.battles.selfnames import AMBIGUOUS, MAKERS, STRONG
from arena.battles.selfnaming import LONGEST, Finding, spoken

_KIND = r"(?:models?|llm|ai|ais|chatbot|assistant|gpt|language model|neural net(?:work)?|company|lab|firm|version|provider|organi[sz]ation|vendor|system|bot)"
_END = r"(?=\s*(?:$|[?!.,;:)\n]|and\b|anyway|really|exactly|actually|right now|again|by the way|please|under the hood|behind the scenes|und\b|eigentlich|genau|wirklich|denn|uberhaupt|bitte|et\b|exactement|vraiment|au juste|stp|svp|s'il))"
_ATTRIBUTE = (
    r"(?:name|identity|model|models|model name|model id|model card|version|creators?|makers?|developers?|provider|vendor|manufacturer|architecture|"
    r"parameter count|number of parameters|parameters|knowledge cut-?off|training cut-?off|cut-?off date|system prompt|system message|hidden prompt|initial instructions|origins?|parent company|weights|base model)"
)
_THINGS_DE = r"(?:namen?|identitat|modell\w*|version|hersteller\w*|entwickler\w*|anbieter|schopfer|system-?prompt|wissensstand|trainingsstand|architektur|macher|erfinder|herkunft)"
_THINGS_FR = r"(?:vrai )?(?:nom|identite|modele|version|createurs?|developpeurs?|concepteurs?|fabricant|editeur|fournisseur|architecture|prompt systeme|origine|date de coupure)"
_NAMES = rf"(?:an? |the |ein |eine |das |un |une |le |la |l')?(?:{STRONG}|{AMBIGUOUS}|bard|copilot|gpt|alexa|siri)\b"
_COMPLETING = r"\b(?:finish|complete|continue)\b[^\n]{0,50}\b(?:i am|i'm|my name is|i was)\b[^\n]{0,50}\b(?:by|called|model|named|is|am)\b"
_ENGLISH = (
    rf"\bwho (?:exactly |really |actually |the hell |on earth )?(?:are|r) (?:you|u)\b{_END}",
    rf"\bwhat (?:exactly |really |actually )?are you\b{_END}",
    r"\bwhat are you (?:called|named|based on|running on|powered by|built on)\b",
    r"\b(?:tell me|say|know|me|reveal|guess|explain|clear on|wondering|curious|just|confess|admit|,) (?:exactly )?(?:who|what) you (?:really |actually )?are\b(?! (?:doing|looking|talking|going|thinking|trying|good|best))",
    rf"\b(?:what|which)(?: \w+){{0,2}} {_KIND} you (?:really |actually )?are\b|\bname of the {_KIND} (?:answering|behind|i|that answers|you)\b",
    rf"\b(?:what|which)(?: \w+){{0,3}} {_KIND}(?: of \w+(?: \w+)?| version| name| family)? (?:are|r|is|am|do|did|does|was|were|have|has|made|created|trained|built|developed|released|owns|operates|hosts|invented|designed|powers|runs|sits|hides)\b[^.?!\n]{{0,25}}\b(?:you|u|this|i|me|here|answering|responding|replying|speaking|behind)\b",
    r"\bwho(?:'s|s| is| has| was| were| are)? ?(?:\w+ )?(?:made|created|built|developed|trained|designed|programmed|invented|owns|operates|behind|coded|released|your (?:maker|creator|developer|provider|parent company)s?)(?: you\b| this (?:model|ai|chatbot|assistant|bot)|[?!. ]*$)",
    rf"\bwhat(?:'s| is| are) the {_KIND}s? (?:\w+ )?(?:behind|powering|answering|i'm|i am|that powers)\b|\bby whom (?:were|are) you\b",
    r"\bwho (?:do|does|would) i have the (?:pleasure|honou?r)|\bwho is the (?:company|team|lab|maker|creator|firm) (?:behind|of) (?:you|this)\b",
    rf"\bwhich one are you\b|\b(?:do you|you) (?:run|operate) on\b|\bis your name (?:{_NAMES})",
    r"\bwho (?:do you belong to|are you made by|were you (?:made|built|created|trained|developed) by|owns you)",
    r"\b(?:were|are) you (?:made|built|created|trained|developed|fine-?tuned|released|run|owned|hosted) by\b",
    rf"\b(?:what(?:'s|s| is| are| was)|tell me|state|give(?: me| us)?|reveal|say|disclose|share|name|confirm|provide|output|print|report|specify|write down|list)(?: \w+){{0,3}} (?:your|ur) (?:(?:real|full|actual|true|exact|model|official|underlying|own|current|internal|precise|hidden|initial|specific) ){{0,2}}{_ATTRIBUTE}\b",
    rf"\b(?:are|r) (?:you|u) (?:really |actually |secretly |by any chance |perhaps |maybe |in fact |also )?(?:{_NAMES}|(?:an? )?(?:\w+ )?(?:{MAKERS})(?:'s)? (?:model|ai|assistant|product|bot|chatbot)|an? (?:ai|{_KIND}) (?:\w+ )?(?:by|from|of) (?:{MAKERS})|from (?:{MAKERS})|based on|the same (?:model )?as (?:{_NAMES}))",
    rf"\bis this (?:really |actually )?(?:{_NAMES})[?. ]",
    rf"\b(?:you're|you are) (?:{_NAMES})[^.?!\n]{{0,12}}(?:right|aren't you|correct|yes|no)\b",
    r"\b(?:who|what|which(?: \w+){1,3}) (?:am i|i am|i'm) (?:really |actually )?(?:talking|speaking|chatting|writing|interacting) (?:to|with)\b",
    rf"\bam i (?:talking|speaking|chatting) (?:to|with) (?:{_NAMES})",
    r"\bidentify yourself\b|\breveal yourself\b|\bstate your identity\b",
    r"\b(?:repeat|print|show|reveal|output|display|quote|paste|leak|summari[sz]e)\b[^.?!\n]{0,40}\b(?:system prompt|system message|instructions above|(?:your|hidden|initial) instructions|text above)\b",
    _COMPLETING,
    r"\bhow many (?:billion )?parameters (?:do|have|did) you\b|\bwhen (?:were you (?:trained|released|created)|(?:does|did|was|is) your (?:training|knowledge))",
    r"\bwhat should i call you\b|\bdo you have a name\b|\bwhat do (?:people|they|i) call you\b",
    r"\bwhere (?:were you (?:made|trained|built|developed)|do you come from)\b|\bwhose (?:model|ai|assistant|product) are you\b",
)
_GERMAN = (
    rf"\bwer (?:zum teufel |genau |eigentlich )?(?:bist du|sind sie|seid ihr)\b{_END}",
    rf"\bwas (?:genau |eigentlich )?(?:bist du|sind sie)\b{_END}|\bwas (?:bist du|sind sie) (?:eigentlich )?fur ein",
    r"\b(?:wer|was) du (?:eigentlich |wirklich |genau )?bist\b",
    r"\b(?:welche[smrn]?|was fur (?:ein|eine)|was fur) (?:\w+ ){0,2}(?:modells?|ki|ki-modells?|sprachmodells?|llm|version|firma|unternehmen|chatbot|anbieter|assistent|labor)\b[^.?!\n]{0,30}\b(?:du|dich|dir|sie|hier|dahinter|antwortet|antwortest|bist|steckt|gerade)\b",
    r"\bwer (?:hat|steckt|steht) (?:\w+ ){0,2}(?:dich|sie|dir|ihnen|dahinter)\b",
    r"\bvon (?:wem|welche[rm] \w+) (?:\w+ )?(?:wurdest|bist|stammst|wirst|wurden|stammen|sind) (?:du|sie)\b",
    r"\bwie (?:heisst|nennst) du\b|\bwie du heisst\b|\bwie heissen sie\b|\bwie (?:ist|lautet) (?:dein|ihr|deine|ihre) (?:\w+ )?"
    + _THINGS_DE
    + r"\b",
    rf"\b(?:was|wer|wie|welches|wo) (?:ist|sind|lautet) (?:dein|deine|ihr|ihre) (?:\w+ )?{_THINGS_DE}\b",
    rf"\b(?:bist du|sind sie) (?:wirklich |eigentlich |etwa |vielleicht |in wahrheit |zufallig )?(?:{_NAMES}|(?:ein |eine )?(?:\w+ )?(?:modell |ki )?von (?:{MAKERS}))",
    rf"\b(?:nenn\w*|verrat\w*|sag\w*|gib\w*|zeig\w*|teil\w*|wiederhol\w*)\b[^.?!\n]{{0,25}}\b(?:dein(?:en|e|em)?|ihren?) (?:\w+ )?{_THINGS_DE}\b",
    r"\bmit (?:wem|welche[rm](?: \w+){1,2}) (?:spreche|rede|chatte|schreibe|unterhalte) ich\b(?=\s*(?:$|[?!.,]|hier|gerade|eigentlich|da\b|jetzt|uberhaupt|mich))|\bidentifizier\w* dich\b",
    rf"\b(?:spreche|rede|chatte) ich (?:hier |gerade |etwa )?mit (?:{_NAMES})",
    r"\b(?:wurdest|bist) du (?:\w+ )?(?:von|bei) (?:\w+ ){1,2}(?:entwickelt|trainiert|gemacht|erstellt|gebaut|programmiert)\b|\bwo(?:her)? (?:kommst|stammst) du\b",
    r"\bstell(?:e|en)? (?:dich|sie sich) (?:\w+ )?(?:bitte |kurz |mal |doch |ehrlich )*vor\b|\bdein training (?:\w+ )?(?:endete|abgeschlossen)|\bwie viele parameter (?:hast|haben) (?:du|sie)\b|\bwann wurdest du trainiert\b",
)
_FRENCH = (
    r"\bqui (?:es[- ]tu|etes[- ]vous|tu es|vous etes|t'es)\b(?! pour)|\b(?:tu es|t'es|vous etes) qui\b",
    rf"\b(?:qu'est-ce que tu es|tu es quoi|es[- ]tu quoi)\b{_END}",
    r"\bquel(?:le)?s? (?:\w+ ){0,2}(?:modele|ia|llm|version|entreprise|societe|intelligence artificielle|labo\w*|assistant|chatbot|boite)\b[^.?!\n]{0,40}(?:\b(?:es|etes|tu|te|vous|je|derriere|repond|ici|parle)\b|t'a)",
    r"\bqui (?:t'a|vous a|t'ont|vous ont) (?:\w+ )?(?:cree|concu|developpe|entraine|fabrique|programme|fait|forme|invente|construit)e?s?\b|\bqui (?:est derriere toi|se cache derriere toi|est ton|est votre)\b",
    r"\bcomment (?:t'appelles[- ]tu|tu t'appelles|vous appelez[- ]vous|dois-je t'appeler|t'appelle)|\b(?:tu t'appelles|vous vous appelez) comment\b",
    rf"\b(?:quel(?:le)? est|quels sont|donne|donnez|dis|dites|revele\w*|indique\w*|precise\w*|affiche\w*|montre\w*|repete\w*|c'est quoi)\b[^.?!\n]{{0,20}} (?:ton|ta|votre|tes|vos) {_THINGS_FR}\b",
    rf"\b(?:es[- ]tu|etes[- ]vous|tu es|vous etes) (?:vraiment |en fait |en realite |bien |par hasard )?(?:{_NAMES}|(?:un modele |une ia |un produit )?(?:de |d'|par )(?:{MAKERS}))",
    r"\b(?:a|avec) (?:qui|quel(?:le)?(?: \w+){1,3}) (?:je parle|est-ce que je (?:parle|discute)|ai-je affaire|suis-je en train|j'ai affaire|je discute|parle-je)\b",
    rf"\b(?:est-ce que )?je parle (?:a|avec) (?:{_NAMES})",
    r"\bqui (?:ton|votre) (?:createur|developpeur|concepteur)|\b(?:es-tu|etes-vous|tu es) base sur\b|\bpresente[- ]toi\b|\bpresentez[- ]vous\b|\bidentifie[- ]toi\b|\bpar qui (?:as-tu|avez-vous|tu as|es-tu) (?:ete )?|\bd'ou viens-tu\b|\b(?:tu as|t'as|vous avez) ete (?:cree|concu|developpe|entraine|fabrique|programme|forme)e? par\b",
    r"\bas-tu ete (?:cree|developpe|entraine|concu)e? par\b|\bcombien de parametres (?:as-tu|avez-vous|tu as)\b|\bquand as-tu ete (?:entraine|cree)",
)
_INTRODUCE = re.compile(r"\bintroduce yourself\b", re.I)
_ROLE = re.compile(
    r"\b(?:pretend|imagine|as if you were|you are (?:an?|the) (?!\w*(?:ai|model)\b)|act as|role-?play|play the|in character|stell dir vor|du bist (?:ein|eine)|imagine que|tu es un|fais semblant|joue)\b",
    re.I,
)
_ASKING = re.compile("|".join(f"(?:{pattern})" for pattern in (*_ENGLISH, *_GERMAN, *_FRENCH)), re.I)
_TALKED_OF = re.compile(
    r"\b(?:songs?|titled?|called|phrase|sentence|translate\w*|translation|words?|lyrics|novel|book|poem|asks|asked|asking|meaning of|mean by|scene where|dialogue|"
    r"ubersetz\w*|satz|lied|fragt\w*|titel|bedeutet|traduis\w*|traduire|traduction|phrase|chanson|demande\w*|titre|heading|email subject|interview question|how (?:do|should|would) (?:i|you) (?:respond|answer|say|reply)|wie (?:sagt|antworte)|comment (?:dit-on|repondre))\b[^.!?\n]{0,45}$",
    re.I,
)
_TALKED_OF_AFTER = re.compile(
    r"^[?!. ]*(?:by the\b|lyrics|in (?:french|german|spanish|italian|latin|japanese|english|le film)|auf (?:englisch|franzosisch|deutsch|spanisch)|en (?:anglais|allemand|espagnol))",
    re.I,
)


def asks_who(text: str) -> Finding | None:
    """The words by which a prompt asks which model or whose model answers; None for a prompt that does not."""
    folded = fold(text[:LONGEST])
    talked = spoken(folded)
    for candidate in dict.fromkeys((talked, without_digits_for_letters(talked))):
        if found := _asked(candidate):
            return found
    completing = re.search(_COMPLETING, folded, re.I)  # the beginning to be completed stands in quotes
    return Finding("asks_who", "prompt", completing[0].strip()[:120]) if completing else None


def _asked(text: str) -> Finding | None:
    for found in _ASKING.finditer(text):
        if not _TALKED_OF.search(text[max(0, found.start() - 70) : found.start()]) and not _TALKED_OF_AFTER.match(
            text[found.end() :]
        ):
            return Finding("asks_who", "prompt", found[0].strip()[:120])
    asked = _INTRODUCE.search(text)
    return Finding("asks_who", "prompt", asked[0]) if asked and not _ROLE.search(text) else None
