"""Names and explanations of what makes an endpoint and a competitor, as they stand beside their fields."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

ENDPOINT_LABELS = {
    "name": _("Name"),
    "base_url": _("Address"),
    "key_env": _("Variable that holds the key"),
    "first_token_seconds": _("Seconds to the first token"),
    "between_tokens_seconds": _("Seconds between two tokens"),
    "total_seconds": _("Seconds for the whole answer"),
}
ENDPOINT_HELP = {
    "name": _("What operators call it; voters never see it."),
    "base_url": _(
        "As this server reaches it, up to and without /chat/completions: 127.0.0.1 is the machine that Blindfold runs "
        "on. The word local-model stands for the model that comes with Blindfold."
    ),
    "key_env": _(
        "The name of an environment variable, never the key itself; empty where no key is needed. It ends in _KEY or "
        "_TOKEN, or is listed in ARENA_KEY_VARIABLES. Set it where the server is started, and restart the server."
    ),
    "first_token_seconds": _("Whoever is slower has failed. Models that are loaded when first asked need longer."),
    "between_tokens_seconds": _("A stream that stands still for longer has failed."),
    "total_seconds": _("An answer that takes longer has failed, and its battle is void."),
}
LABELS = {
    "name": _("Name"),
    "endpoint": _("Endpoint"),
    "model_id": _("Model"),
    "system_prompt": _("System prompt"),
    "temperature": _("Temperature"),
    "top_p": _("Top p"),
    "max_tokens": _("Tokens in an answer, at most"),
    "stop": _("Stop at"),
    "extra_body": _("Further fields of the request"),
    "revision": _("Revision"),
    "description": _("Description"),
    "organization": _("Organization"),
    "license": _("Licence"),
    "price_in": _("Price of a million tokens in"),
    "price_out": _("Price of a million tokens out"),
    "context_length": _("Context, in tokens"),
}
HELP = {
    "name": _("On the board and after the vote. A later version carries its number behind it."),
    "endpoint": _("Who answers for it."),
    "model_id": _("As the endpoint calls it, for example llama3.2."),
    "system_prompt": _("Sent before every conversation; empty sends none."),
    "temperature": _("Empty leaves it to the endpoint, as with the next field."),
    "top_p": _("Between 0 and 1."),
    "max_tokens": _("Give competitors that are compared the same room."),
    "stop": _("One text a line; \\n stands for a line break."),
    "extra_body": _('A JSON object, for example {"seed": 1}; null leaves a field out that the endpoint refuses.'),
    "revision": _("Of the weights, where you know it."),
    "description": _("On its page, which voters may read."),
    "organization": _("Who made it: voters who say that they work there are not shown its answers."),
    "license": _("As on its model card."),
    "price": _("For rating against cost; any currency, one for the whole arena."),
    "context_length": _("On its page."),
}
GROUPS = (
    ("who", _("Who answers"), ("name", "endpoint", "model_id", "revision")),
    ("how", _("How it answers"), ("system_prompt", "temperature", "top_p", "max_tokens", "stop", "extra_body")),
    ("about", _("About it"), ("description", "organization", "license", "price_in", "price_out", "context_length")),
)  # fmt: skip
