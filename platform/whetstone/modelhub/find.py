"""Finding a model by the name that people and scripts use."""

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.lookup import Lookup
from whetstone.modelhub.models import Model

MODEL = Lookup(lambda team, name: owned(Model, team).filter(name=name).order_by())


def find_model(team: Team, name: str, param: str = "model") -> Model:
    """Raises Fault model.not_found."""
    model = MODEL.first(team.pk, name)
    if model is None:
        raise Fault("model.not_found", field=param, model=name)
    return model


def find_scorer(team: Team, name: str, param: str) -> Model:
    """A reward model that an evaluator asks. Raises Fault evaluator.model_missing or evaluator.not_a_reward_model."""
    model = MODEL.first(team.pk, name)
    if model is None:
        raise Fault("evaluator.model_missing", field=param, model=name)
    if model.task != Model.Task.REWARD or model.is_adapter:  # it is loaded as it is, and an adapter is not
        raise Fault("evaluator.not_a_reward_model", field=param, model=name)
    return model
