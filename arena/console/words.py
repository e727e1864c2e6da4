"""Names and explanations of an arena's settings, as they stand beside their fields."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

KINDS = [
    ("recorded", _("Answers made beforehand: a prompt set, and each model's answers to it")),
    ("live", _("Live answers: voters write prompts, models answer while they wait")),
    ("mixed", _("Both: a prompt set with answers, and prompts of the voters' own")),
]
ACCESS = [
    ("invite", _("By invitation: whoever has a link that you made")),
    ("private", _("Private: only people with an account whom you add")),
    ("open", _("Open: anybody who reaches this server")),
]
CHOICES = {
    "kind": KINDS,
    "access": ACCESS,
    "reveal": [
        ("each", _("After every vote")),
        ("end", _("When a voter has judged the whole prompt set")),
        ("never", _("Never")),
    ],
    "board_visibility": [
        ("during", _("While votes come in")),
        ("own_votes", _("After a number of own votes")),
        ("closed", _("Only when the arena is closed to votes")),
    ],
    "stream_mode": [
        ("paced", _("Paced: speed tells nothing about who writes")),
        ("live", _("Live: faster, and weaker blindness, since speed can be seen")),
    ],
    "sampling": [
        ("coverage", _("Coverage: connect everyone, then the least compared pairs")),
        ("informative", _("Informative: the pair whose vote narrows the board most")),
        ("uniform", _("Uniform: every pair alike")),
    ],
}
LABELS = {
    "title": _("Title"),
    "description": _("Description"),
    "kind": _("What is voted on"),
    "access": _("Who may enter"),
    "guidelines": _("Guidelines"),
    "allow_both_bad": _("Offer “Both are bad”"),
    "allow_skip": _("Allow skipping"),
    "allow_comment": _("Take comments"),
    "max_turns": _("Turns in a battle, at most"),
    "max_prompt_chars": _("Characters in a prompt, at most"),
    "reveal": _("When names are revealed"),
    "board_visibility": _("When voters see the board"),
    "board_after_votes": _("Own votes until then"),
    "stream_mode": _("How answers appear"),
    "pace": _("Pace, in characters a second"),
    "sampling": _("Which pair comes next"),
    "publish_after_votes": _("Publish after so many new votes"),
    "publish_after_seconds": _("Or after so many seconds"),
    "closed_at": _("Closed to votes from"),
}
HELP = {
    "title": _("Above every page of the arena."),
    "description": _("A sentence or two on the list of arenas."),
    "kind": _("Settled with the first battle: a board never mixes two ways of asking."),
    "access": _("An arena that is not open does not exist for strangers, not even by its address."),
    "guidelines": _("What voters should judge by, in Markdown. It stands beside the vote, open on the first battle."),
    "allow_both_bad": _("Without it a voter chooses A, B or a tie. It counts as a tie in ratings, and is told apart."),
    "allow_skip": _("Without it only a vote, or the expiry of a battle after a day, leads to the next one."),
    "tags": _("What may have decided a vote, one a line; offered after it. Leave it empty for the usual seven."),
    "allow_comment": _("A remark after the vote, up to 500 characters."),
    "max_turns": _("How often a voter may write to the same pair before the vote. One for single questions."),
    "max_prompt_chars": _("Longer prompts are refused with a word to the voter."),
    "reveal": _(
        "A voter who knows names never meets the same answers again, so that with a reveal after every vote each "
        "prompt serves fewer battles. A live arena has no end."
    ),
    "board_visibility": _(
        "For every form of the board alike: page, files, API, and what the reveal says of it. Those who run the arena "
        "and auditors always see it."
    ),
    "board_after_votes": _("Counts where the board opens after own votes; whoever has judged everything sees it too."),
    "stream_mode": _("Raw speed gives away many models. Recorded answers appear at once in any case."),
    "pace": _("In paced mode each side shows as many. Set it below the slowest model."),
    "sampling": _("Informative sampling needs fewer votes; it begins as coverage while the board is young."),
    "overlap_share": _(
        "Share of battles on a prompt set that show a voter what somebody else has judged, to measure agreement "
        "between voters. 20 is one in five. Each vote counts."
    ),
    "repeat_share": _(
        "Share of battles that show a voter an own earlier one with sides exchanged, to measure self-consistency. The "
        "second vote is never rated. Not where names are revealed after each vote."
    ),
    "publish_after_votes": _("A board that moves with each vote tells an attacker what the vote did."),
    "publish_after_seconds": _("Counted from the first vote that is not yet on the board."),
    "closed_at": _("In UTC. From then on nobody votes and open battles end; empty while there is no end."),
    "anchor": _("The competitor that is pinned to the rating below; intervals are then those of differences to it."),
    "anchor_rating": _("A stated number; only differences between ratings mean something."),
    "controls_style": _(
        "Length, headings, lists and bold passages held equal; the plain board stays one click away. Files and the API "
        "give the plain board unless asked."
    ),
}
GROUPS = (
    ("about", _("About this arena"), ("title", "description", "kind", "access")),
    ("vote", _("The vote"), ("guidelines", "allow_both_bad", "allow_skip", "tags", "allow_comment", "max_turns",
                             "max_prompt_chars")),
    ("names", _("Names and board"), ("reveal", "board_visibility", "board_after_votes")),
    ("blind", _("Blindness"), ("stream_mode", "pace")),
    ("draw", _("What is shown next"), ("sampling", "overlap_share", "repeat_share")),
    ("board", _("Publication"), ("publish_after_votes", "publish_after_seconds", "anchor", "anchor_rating",
                                 "controls_style")),
    ("end", _("The end"), ("closed_at",)),
)  # fmt: skip
