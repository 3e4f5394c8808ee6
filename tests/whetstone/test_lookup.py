"""A look-up finds what its query finds."""

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from tests.whetstone.factories import make_dataset, make_model, make_user
from whetstone.datasets.find import BY_ID
from whetstone.datasets.models import DatasetVersion
from whetstone.lookup import Lookup
from whetstone.modelhub.models import Model

pytestmark = pytest.mark.django_db


def test_a_row_comes_with_all_that_its_query_names_at_one_question() -> None:
    version = make_dataset()
    BY_ID.first(version.team_id, version.id)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = BY_ID.first(version.team_id, version.id)
        assert found is not None
        assert (found.dataset.name, found.blob.sha256) == ("sums", version.blob.sha256)
    assert len(asked) == 1
    same = DatasetVersion.objects.get(id=version.id)
    assert model_to_dict(found) == model_to_dict(same)
    assert (found.created_at, found.statistics, found.expires_at) == (same.created_at, same.statistics, None)


def test_what_another_team_has_is_not_found() -> None:
    version, eve = make_dataset(), make_dataset(user=make_user("eve"))
    assert BY_ID.first(eve.team_id, version.id) is None
    assert BY_ID.first(eve.team_id, eve.id) == eve


def test_a_row_that_changed_is_read_anew_and_one_left_out_is_asked_for() -> None:
    named = Lookup(lambda name: Model.objects.filter(name=name).only("name"))
    model = make_model()
    first = named.first(model.name)
    Model.objects.update(config={"n_layer": 2})
    second = named.first(model.name)
    assert first is not None
    assert second is not None
    assert (first.name, second.config) == (model.name, {"n_layer": 2})
    assert [one.pk for one in named.all(model.name)] == [model.pk]
    assert named.all("nobody") == []


def test_values_in_another_order_than_in_the_sql_are_noticed_at_once() -> None:
    swapped = Lookup(lambda name, task: Model.objects.filter(task=task, name=name).order_by())
    turned = Lookup(lambda task, name: Model.objects.filter(task=task, name=name).order_by())
    assert swapped.all("same", "same") == []
    with pytest.raises(AssertionError, match="another order"):
        turned.all("same", "same")
