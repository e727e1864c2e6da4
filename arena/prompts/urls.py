"""The console's pages about prompts and recorded answers."""

from django.urls import path

from arena.prompts.models import Upload
from arena.prompts.views import generation, importing, sets

app_name = "prompts"
urlpatterns = [
    path("<slug:slug>/prompts/", sets.prompt_sets, name="sets"),
    path("<slug:slug>/prompts/import/", importing.upload, {"kind": Upload.Kind.PROMPTS}, name="import_prompts"),
    path("<slug:slug>/answers/import/", importing.upload, {"kind": Upload.Kind.ANSWERS}, name="import_answers"),
    path("<slug:slug>/prompts/import/<uuid:upload_id>/", importing.columns, name="columns"),
    path("<slug:slug>/generation/", generation.generation, name="generation"),
    path("<slug:slug>/generation/<int:run_id>/stop/", generation.stop, name="stop_run"),
    path("<slug:slug>/prompts/<int:set_id>/", sets.one_set, name="set"),
    path("<slug:slug>/prompts/<int:set_id>/<int:prompt_id>/", sets.one_prompt, name="prompt"),
]
