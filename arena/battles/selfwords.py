"""The words by which a speaker speaks of itself, in folded English, German and French; data for `selfnaming`."""

# ruff: noqa: E501 - patterns read better whole
from __future__ import annotations

import re

from arena.battles.selfnames import MAKERS

SUBJECTS = (
    r"i am|i'm|im|i was|i have been|i've been|i am called|i'm called|my name is|my name's|my name[?:]|the name is|the name's|call me|know me as|refer to me as|i happen to be|i just happen to be|i go by|"
    r"i identify as|i (?:run|operate) on|i come from|i came from|i belong to|"
    r"you(?:'re| are) (?:now |currently |actually )?(?:talking|speaking|chatting|interacting|conversing|communicating) (?:to|with)|"
    r"you(?:'ve| have) reached|"
    r"my (?:underlying |base |full |official |internal )?(?:model|architecture|version|engine|identity)(?: name| id)?(?: is|'s|:)|"
    r"(?:the )?(?:underlying )?model (?:behind|powering|answering|underneath) (?:me|this|you|these)[\w' ]{0,25} is|"
    r"my (?:creators?|developers?|makers?|parent company|provider|training team)(?:,| is| are| at| over at)|"
    r"the (?:company|team|people|lab|organization) (?:behind|that (?:made|built|created|trained)|who (?:made|built|created|trained)) me (?:is|are)(?: at)?|"
    r"ich bin|bin ich|ich heisse|ich nenne mich|mein name(?: ist| lautet|[?:])|ich hore auf den namen|ich werde|ich wurde|wurde ich|man nennt mich|nenn(?:en sie)? mich|"
    r"(?:du|sie) (?:sprichst|chattest|redest|schreibst|unterhaltst dich|sprechen|chatten|reden|schreiben|unterhalten sich) (?:gerade |hier |nun |aktuell )*mit|"
    r"bei mir handelt es sich um|ich basiere|ich laufe|ich stamme|ich komme|ich gehore zu|hinter mir (?:steckt|steht)|"
    r"meine? (?:zugrunde ?liegendes |genaues )?(?:modell|entwickler|hersteller|schopfer|version|erfinder|anbieter)(?:name|firma)? (?:ist|sind|heisst|lautet)|"
    r"je suis|je m'appelle|je me nomme|mon nom(?: est|,? c'est| ?[?:])|moi,? c'est|on m'appelle|appelez-moi|appelle-moi|j'ai ete|"
    r"(?:vous|tu) (?:parlez|parles|discutez|discutes|echangez|echanges|conversez|dialoguez) (?:actuellement |en ce moment )?(?:a|avec)|"
    r"(?:mon createur|mes createurs|mon developpeur|mes developpeurs|mon concepteur|mes concepteurs|mon modele|mon editeur) (?:est|sont|s'appelle|c'est)|"
    r"je (?:tourne|fonctionne|repose|m'appuie) (?:sur|avec|grace a)|je viens|j'appartiens a|je fais partie"
)
LOOSE = (
    r"as an?|as|being(?: an?)?|this is|i,|ich,|moi,|als|hier ist|hier spricht|hier schreibt|c'est|ici|en tant que?|ich"
)
"""Words that lead to oneself or to others: what follows the name decides (`MUST_FOLLOW`)."""
_ME_EN = r"\b(?:I|I'm|my|me|myself)\b"
MUST_FOLLOW = {
    "this is": re.compile(r"^ (?:speaking|here\b)|^, (?:your|an?|the|and I|I)\b", re.I),
    "being": re.compile(_ME_EN),
    "i,": re.compile(r"^,"),
    "ich,": re.compile(r"^,"),
    "moi,": re.compile(r"^,"),
    "as": re.compile(_ME_EN),
    "hier ist": re.compile(r"^[.,!]|^ und ich\b|^ am\b|^$", re.I),
    "hier s": re.compile(r"", re.I),
    "als": re.compile(r"\b(?:ich|mir|mich|meine?)\b", re.I),
    "c'est": re.compile(r"^ (?:qui|a l'appareil)(?: (?:te|vous))? (?:parle|repond|ecrit)|^ a l'appareil", re.I),
    "ich": re.compile(r"^(?: \w+){0,3} (?:bin|heisse|wurde|werde|stamme|worden)\b", re.I),
    "ici": re.compile(r"^[.,!]|^ a l'appareil|^$", re.I),
    "en tant": re.compile(r"\b(?:je|j'|ma|mon|mes|me|moi)(?:\b|')", re.I),
}
_EN = (
    r"an?|the|ai|artificial|intelligence|intelligent|large|language|models?|llm|assistant|chatbot|chat|bot|ai-powered|program|system|agent|"
    r"version|instance|variant|member|part|one|of|in|from|by|at|to|family|series|line|called|named|known|as|currently|actually|"
    r"really|just|simply|basically|proudly|originally|specifically|here|your|our|helpful|friendly|harmless|honest|virtual|digital|conversational|"
    r"advanced|new|latest|newest|free|small|tiny|big|open|open-source|opensource|source|open-weight|multimodal|text-based|generative|pre-trained|"
    r"pretrained|transformer|neural|network|fine-tuned|finetuned|instruction-tuned|tuned|made|created|developed|trained|built|"
    r"designed|programmed|engineered|produced|released|provided|powered|based|on|top|brought|running|hosted|maintained|"
    r"launched|you|folks|people|team|teams|researchers|engineers|scientists|company|startup|lab|labs|research|organization|us-based|french|"
    r"chinese|american|german|hello|personal|\d+(?:\.\d+)?[bm]|which|who|that's|was|is|it|being|also|indeed|still|very|own|type|kind|"
    r"sort|good|popular|so-called|and|technically|officially|fact|truth|honestly|machine|learning|computer|fully|entirely|well-known|smart|ai-based|software|tool|product|creation|produkt|erzeugnis|produit"
)
_DE = (
    r"ein|eine|einen|einer|einem|eines|das|die|der|den|dem|des|grosses|grosse|grossen|kleines|sprachmodells?|ki|ki-modell|ki-modells|"
    r"ki-assistent|ki-assistentin|ki-sprachmodell|ki-system|ki-chatbot|kunstliche|intelligenz|modell|modells|assistent|assistentin|chatbot|programm|variante|"
    r"mitglied|teil|namens|genannt|von|vom|aus|durch|firma|unternehmen|hause|haus|und|gerade|eigentlich|ubrigens|also|einfach|"
    r"virtueller|virtuelle|digitaler|digitale|hilfreicher|freundlicher|neuer|neues|entwickelt|entwickeltes|entwickelter|entwickelte|trainiert|trainiertes|"
    r"trainierter|erstellt|erstelltes|geschaffen|geschaffenes|erschaffen|gebaut|programmiert|programmiertes|konzipiert|basierend|basiertes|basiert|auf|"
    r"modellfamilie|familie|reihe|generatives|textbasiertes|fortschrittliches|dein|ihr|personlicher|auch|ja|worden|bei|nur|offenes|quelloffenes|"
    r"naturlich|tatsachlich|leider|neuronales|hier|team|forschern|ingenieuren|zur|zum|lediglich|bloss|grossem"
)
_FR = (
    r"un|une|le|la|les|l|d|de|du|des|grand|grande|modeles?|langage|langue|ia|artificielle|assistante|agent|programme|systeme|membre|"
    r"partie|famille|nommee?|appelee?|connue?|sous|nom|creee?|developpee?|entrainee?|concue?|formee?|fabriquee?|proposee?|base|basee|sur|par|"
    r"chez|et|actuellement|simplement|ici|virtuel(?:le)?|conversationnel(?:le)?|numerique|utile|tout|en|fait|propulsee?|alimentee?|equipes?|entreprise|"
    r"societe|startup|francaise?|americaine?|qui|a|ete|issue?|votre|ton|chercheurs|ingenieurs|laboratoire|c'est|est|mis|mise|au|point|"
    r"specialement|initialement|entierement|open|ouvert|linguistique"
)
FILLER = rf"{_EN}|{_DE}|{_FR}"
ARTICLES = {"a", "an", "the", "ein", "eine", "einen", "das", "die", "der", "un", "une", "le", "la", "l", "your", "our"}
PREPOSITIONS = {
    "of",
    "by",
    "from",
    "at",
    "to",
    "in",
    "von",
    "vom",
    "aus",
    "bei",
    "durch",
    "de",
    "d",
    "du",
    "par",
    "chez",
    "des",
    "on",
    "auf",
    "sur",
}
THING = re.compile(
    r"\b(?:models?|assistante?|assistentin|assistent|ai|chatbot|llm|bot|version|instance|variant|family|system|sprachmodells?|ki|ki-\w+|modells?|modellfamilie|"
    r"familie|modeles?|ia|agent|programm?e?|intelligenz|intelligence|product|creation|produkt|produit|language model|series|reihe|famille|architecture|architektur)\b",
    re.I,
)
MADE = re.compile(
    r"\b(?:made|created|developed|trained|built|designed|programmed|engineered|produced|released|powered|brought|maintained|launched|tuned|based|basier\w*|basee?|running|laufe|run on|operate on|tourne|fonctionne|repose|"
    r"come from|came from|belong to|\w*entwickelt\w*|\w*trainiert\w*|erstellt\w*|\w*schaffen\w*|gebaut\w*|programmiert\w*|konzipiert\w*|stamme|betrieben\w*|"
    r"cree\w{0,3}|developpe\w{0,2}|entraine\w{0,2}|concue?s?|fabrique\w{0,2}|mis au point|mise au point|propulse\w{0,2}|formee?)\b",
    re.I,
)
PEOPLE = re.compile(
    r"\b(?:team|teams|researchers?|engineers?|scientists?|folks|people|employees?|fans?|users?|developers?|customers?|shareholders?|interns?|managers?|"
    r"lab|labs|company|startup|forschern|ingenieuren|mitarbeiter\w*|kunde\w*|chercheurs|ingenieurs|employes?|equipes?|store|phones?|docs?|maps|account|"
    r"skeptics?|reviewers?|testers?|experts?|trainers?|consultants?|partner|engineering)\b",
    re.I,
)
NAMING = re.compile(r"name|call me|go by|heisse|nenn|appel|nom", re.I)
SURNAME = re.compile(
    rf" (?!(?i:(?:from|by|von|de|d'|du|par) ?(?:{MAKERS})))(?:van |von |de |du |del |le |la )?(?!(?-i:Opus|Sonnet|Haiku|Instant|AI|Chat|Pro|Ultra|Flash|Nano|Advanced|Large|Small|Medium|Nemo|Code|Scout|"
    r"Maverick|Instruct|I|And|From|By|Made|Created|Developed|Und|Ein|Eine|Et|Un|Une)\b)(?-i:[A-Z])[a-z]+"
)
NOT_FOLLOWED = re.compile(
    r"'s\b(?! (?:labs?|teams?|ai|models?|family|researchers|engineers)\b)|[ -](?:fans?|users?|subscribers?|customers?|developers?|engineers?|experts?|researchers?|skeptics?|enthusiasts?|employees?|"
    r"shareholders?|testers?|reviewers?|admirers?|owners?|breeders?|herders?|farmers?|pilots?|interns?|account|plugins?|prompts?|api|sceptics?|"
    r"nutzer\w*|kunde\w*|entwickler\w*|mitarbeiter\w*|uberdrussig|uberlegen|dankbar|leid|skeptisch|gegenuber|gewohnt|aficionados?|addicts?|power users?|trainers?|critics?)\b",
    re.I,
)
MACHINE = re.compile(
    r"\b(?:language models?|ai|llm|chatbot|artificial intelligence|neural network|machine learning|sprachmodell\w*|ki|ki-\w+|kunstliche intelligenz|"
    r"ia|intelligence artificielle|modele de langage|modele de langue|modele d'ia|modele ouvert|open model|offenes modell|virtual assistant|digital assistant|(?-i:AI) assistant|trained|trainiert|entraine)\b",
    re.I,
)
HUMAN = re.compile(
    r"\b(?:years old|year-old|born (?:in|on)|my (?:wife|husband|mother|father|daughters?|sons?|children|kids|parents|sister|brother|shop|farm|bakery|dog|flock|herd)|"
    r"i live in|live in|grew up|i work (?:as|at|in)|zodiac|horoscope|star sign|june|birthday|\d+ ans\b|j'habite|habite|mon mari|ma femme|mes enfants|ma mere|je travaille|boulang\w+|"
    r"jahre alt|jahrig\w*|ich wohne|wohne in|geboren|meine? (?:frau|tochter|mutter|mann|sohn|vater|kinder|eltern|hund)|sternzeichen|ich arbeite|"
    r"peintre|painter|baker|fisherman|professor|nurse|teacher|retired|pensionnaire|retraite\w*|boulanger|signe astrologique|ne[e]? (?:a|en|le)|mayor|knight|pirate|captain|wizard|elf|dragon)\b",
    re.I,
)
GUARD = re.compile(
    r"(?:\b(?<!\bto )(?:claims?|claimed|claiming|says?|said|saying|thinks?|thought|believes?|insists?|insisted|pretend\w*|suppose\w*|imagine\w*|assum\w+|if|whether|as though|"
    r"writes?|wrote|reads|answers|answered|replie[sd]|responds?|responded|states?|stated|wenn|falls|ob|behaupte\w*|sagt\w*|stell\w* dir vor|"
    r"angenommen|tu so|tun sie so|glaubt\w*|meint\w*|antwortet\w*|schreibt\w*|imagin\w+|supposons|comme si|dit|repond\w*|pretend\w*|affirm\w+|croit|ecri\w+|typing|types|lines? like|sentences? like|phrases? like|something like)"
    r"(?:,? (?:that|for a moment|dass|que|qu'|me|you|du|ich sei|he|she))*|\bsi)[\s:,']*$",
    re.I,
)
DIALOGUE = re.compile(
    r"^\W*(?!(?:Answer|Response|Assistant|AI|Bot|Reply|Note|Summary|Hello|Antwort|Reponse|Hinweis|Model|Me|System|Name|Identity|Disclaimer|Clarification|PS|P\.S)\b)"
    r"(?:[A-Z][\w.'-]*)(?: [A-Z0-9][\w.'-]*){0,2}(?: \([^)\n]*\))?:\s"
)
_VERBS = r"(?:made|created|trained|developed|built|designed|programmed|fine-tuned|launched|released|engineered|maintains?|operates?)"
_VERBS_DE = r"(?:entwickelt|trainiert|erstellt|geschaffen|erschaffen|gebaut|programmiert|konzipiert)"
_VERBS_FR = r"(?:cree|developpe|entraine|concu|fabrique|programme|forme)e?"
MADE_ME = (
    rf"(?<!\w)(?:MAKER)(?:'s)?(?: \w+){{0,5}} {_VERBS} me\b|"
    rf"(?<!\w)(?:hat|haben) (?:mich (?:\w+ ){{0,3}}(?:MAKER)|(?:MAKER) mich) (?:\w+ ){{0,3}}{_VERBS_DE}\b|"
    rf"(?<!\w)(?:MAKER) (?:\w+ ){{0,3}}(?:hat|haben) mich (?:\w+ ){{0,5}}{_VERBS_DE}\b|"
    rf"(?<!\w)mich (?:hat|haben) (?:\w+ ){{0,3}}(?:MAKER)\b|"
    rf"(?<!\w)(?:MAKER),? (?:qui |\w+ )?(?:m'a|m'ont) (?:\w+ )?{_VERBS_FR}\b|"
    rf"\bon m'a (?:\w+ )?{_VERBS_FR} (?:\w+ ){{0,2}}(?:MAKER)\b|"
    rf"\bi (?:owe my existence to|was brought to life by|was put together (?:by|at)) (?:\w+ ){{0,4}}(?:MAKER)\b"
)
