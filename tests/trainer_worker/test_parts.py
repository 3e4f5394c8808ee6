"""The parts of a training process, one by one, on a real tiny model."""

import errno
import math
import time
from pathlib import Path
from threading import Timer

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, TrainerControl, TrainerState

from contracts.event import Metrics
from contracts.fault import Fault
from contracts.method import GrpoHyperparameters
from graders import Port, parse
from tests.trainer_worker.jobs import make_spec
from tests.trainer_worker.other_side import OtherSide
from trainer_worker import memory
from trainer_worker.assignment import Assignment
from trainer_worker.callbacks import Watch
from trainer_worker.checkpoints import check, seal
from trainer_worker.models import load_model, save
from trainer_worker.orders import Interrupted, OrderBook, Orders, write_orders
from trainer_worker.pretrained import context_of, render
from trainer_worker.rewards import GraderReward
from trainer_worker.sampler import Sampler
from trainer_worker.spool import SpoolReader, SpoolWriter

PROMPTS = [[{"role": "user", "content": text}] for text in ("1+1", "23+45", "a much longer question")]


@pytest.fixture(scope="session")
def model(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> PreTrainedModel:
    return load_model(tiny, seed=3, drawn=tmp_path_factory.mktemp("drawn"))


def completion(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_an_answer_that_cannot_be_scored_has_no_reward() -> None:
    # The logarithm of 0 has no value: such an answer is not scored, which is not the same as 0.
    grader = parse(
        {
            "type": "multi",
            "graders": {"a": {"type": "string_check", "reference": "yes"}},
            "calculate_output": "log(a)",
        }
    )
    reward = GraderReward(grader, Port())
    given = reward(PROMPTS[:2], [completion("yes"), completion("no")], [[1], [2]], ["{}", "{}"])
    assert given[0] == 0.0
    assert given[1] is None or not math.isfinite(given[1]) or given[1] == 0.0
    assert reward.latest is not None
    assert reward.latest.texts == ["yes", "no"]


def test_a_grader_knows_how_many_tokens_an_answer_has() -> None:
    grader = parse({"type": "length", "unit": "tokens", "target": 4})
    reward = GraderReward(grader, Port())
    assert reward(PROMPTS[:2], [completion("a"), completion("a")], [[1, 2], [1, 2, 3, 4]], ["{}", "{}"]) == [0.5, 1.0]


def test_a_grader_that_scores_nothing_at_all_stops_the_job() -> None:
    reward = GraderReward(parse({"type": "string_check", "reference": "{{ item.nowhere }}"}), Port())
    with pytest.raises(Fault, match="nowhere"):
        reward(PROMPTS[:1], [completion("yes")], [[1]], ["{}"])


def test_answers_that_hold_no_json_yet_are_scored_and_stop_nothing() -> None:
    reward = GraderReward(
        parse({"type": "string_check", "input": "{{ sample.output_json.n }}", "reference": "1"}), Port()
    )
    assert reward(PROMPTS[:1], [completion("one")], [[1]], ["{}"]) == [0.0]
    assert reward(PROMPTS[:1], [completion('{"n": 1}')], [[1]], ["{}"]) == [1.0]


def test_the_parts_of_a_multi_grader_are_metrics_of_their_own() -> None:
    parts = {
        "right": {"type": "string_check", "reference": "{{ item.a }}"},
        "short": {"type": "regex", "pattern": "^.{0,3}$"},
    }
    reward = GraderReward(
        parse({"type": "multi", "graders": parts, "calculate_output": "0.8 * right + 0.2 * short"}), Port()
    )
    logged: dict[str, float] = {}
    given = reward(
        PROMPTS[:2], [completion("4"), completion("5")], [[1], [2]], ['{"a": "4"}'] * 2, log_metric=logged.__setitem__
    )
    assert given == pytest.approx([1.0, 0.2])
    seconds = [logged.pop(f"grading_s/{name}") for name in parts]
    assert logged == {"grades/right": 0.5, "grades/short": 1.0, "graded": 2.0}
    assert all(0 <= one < 1 for one in seconds)


def test_batched_greedy_answers_are_those_of_one_at_a_time(model: PreTrainedModel, tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    together = Sampler(tokenizer, longest=12).answers(model, PROMPTS)
    for prompt, answers in zip(PROMPTS, together, strict=True):
        ids = tokenizer(render(tokenizer, prompt, to_be_answered=True), return_tensors="pt")["input_ids"]
        for _ in range(12):
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], 1)
            if ids[0, -1] == tokenizer.eos_token_id:
                break
        alone = tokenizer.decode(ids[0, -12:], skip_special_tokens=True)
        assert alone.endswith(answers[0].text)


def test_several_samples_of_a_prompt_come_back_together(model: PreTrainedModel, tiny: Path) -> None:
    sampler = Sampler(AutoTokenizer.from_pretrained(tiny), longest=4, samples=3, temperature=1.0, batch_size=2)
    answers = sampler.answers(model, PROMPTS)
    assert [len(each) for each in answers] == [3, 3, 3]
    assert all(answer.tokens <= 4 for each in answers for answer in each)


def test_the_same_seed_draws_the_same_weights(tiny: Path, tmp_path: Path, model: PreTrainedModel) -> None:
    again = load_model(tiny, seed=3, drawn=tmp_path / "a")
    other = load_model(tiny, seed=4, drawn=tmp_path / "b")
    weight = model.get_input_embeddings().weight
    assert torch.equal(again.get_input_embeddings().weight, weight)
    assert not torch.equal(other.get_input_embeddings().weight, weight)
    assert context_of(model) == 2048


def test_a_saved_model_is_loaded_from_safetensors_alone(tiny: Path, tmp_path: Path, model: PreTrainedModel) -> None:
    save(model, AutoTokenizer.from_pretrained(tiny), tmp_path / "model", tiny)
    assert not list((tmp_path / "model").rglob("*.bin"))
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", use_safetensors=True)
    assert torch.equal(loaded.get_input_embeddings().weight, model.get_input_embeddings().weight)


def test_a_checkpoint_without_a_manifest_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(Fault, match="no manifest"):
        check(tmp_path, step=5)


def test_a_sealed_checkpoint_is_whole_and_a_changed_one_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "training_args.bin").write_bytes(b"a pickle")
    names = {ref.path for ref in seal(tmp_path, step=5)}
    assert names == {"model.safetensors", "manifest.json"}
    check(tmp_path, step=5)
    with pytest.raises(Fault, match="of step 6 is damaged: its manifest is of step 5"):
        check(tmp_path, step=6)
    (tmp_path / "model.safetensors").write_bytes(b"weighty")
    with pytest.raises(Fault, match="not what its checksum says"):
        check(tmp_path, step=5)


@pytest.fixture
def watch(side: OtherSide, tiny: Path, tmp_path: Path) -> Watch:
    spec = make_spec(side, tiny)
    assignment = Assignment(
        spec=spec, attempt=1, worker="w", folder=tmp_path, model=tiny, training=tmp_path / "t", validation=None,
        resume=None, trained_tokens=0, threads=1,
    )  # fmt: skip
    order(assignment, Orders(order="go_on", lease_until=time.monotonic() + 60))
    h = GrpoHyperparameters(eval_interval=100, checkpoint_interval=4, num_iterations=2)
    return Watch(assignment, h, SpoolWriter(assignment.spool), [])


def order(assignment: Assignment, orders: Orders) -> None:
    write_orders(assignment.orders, orders)


def test_a_loss_that_is_no_number_stops_the_job(watch: Watch) -> None:
    with pytest.raises(Fault, match="became nan at step 4"):
        watch.on_log(None, TrainerState(global_step=4), TrainerControl(), logs={"loss": math.nan})


def test_only_finite_numbers_are_reported(watch: Watch) -> None:
    logs = {"loss": 0.5, "grad_norm": math.nan, "reward": None, "epoch": 1.0, "note": "x"}
    watch.on_log(None, TrainerState(global_step=4), TrainerControl(), logs=logs)
    assert SpoolReader(watch.assignment.spool).events() == [Metrics(step=4, values={"loss": 0.5})]


def test_checkpoints_fall_on_whole_generation_cycles(watch: Watch) -> None:
    saved = []
    for step in range(1, 13):
        control = TrainerControl()
        watch.on_step_end(None, TrainerState(global_step=step, max_steps=100), control)
        saved += [step] if control.should_save else []
    assert saved == [4, 8, 12]


@pytest.mark.parametrize("word", ["cancel", "replaced"])
def test_an_order_interrupts_between_two_steps(watch: Watch, word: str) -> None:
    order(watch.assignment, Orders.model_validate({"order": word, "lease_until": 0}))
    with pytest.raises(Interrupted):
        watch.on_step_begin(None, TrainerState(), TrainerControl())


def test_a_training_whose_lease_ran_out_waits_for_news(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    write_orders(path, Orders(order="go_on", lease_until=time.monotonic() + 0.3))
    book = OrderBook(path)
    assert book.when_held() == "go_on"
    write_orders(path, Orders(order="go_on", lease_until=time.monotonic() - 1))

    Timer(0.3, write_orders, [path, Orders(order="replaced", lease_until=0)]).start()
    began = time.monotonic()
    assert book.when_held() == "replaced"
    assert time.monotonic() - began > 0.2


@pytest.mark.parametrize(
    ("error", "is_about_memory"),
    [
        (MemoryError(), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried"),
            True,
        ),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_memory_that_ran_out_is_known_by_its_many_names(error: Exception, is_about_memory: bool) -> None:
    assert memory.has_run_out(error) == is_about_memory
