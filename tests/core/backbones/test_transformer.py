"""Pretrained Transformers from local folders: tokens to logits, tuning, merging, export; nothing is downloaded."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.backbones.transformer import TransformerClassifier, build_transformer_classifier
from core.backbones.transformer_config import TransformerConfig
from core.backbones.transformer_files import TextEncoderFacts, load_text_encoder
from core.config import TrainConfig
from core.data.tokens import TokenEncoder
from core.errors import UserError
from core.training.optim import build_optimizer, set_frozen
from tests.core.backbones.text_export import export, largest_difference
from tests.core.backbones.tiny_bert import HIDDEN, make_tiny_bert

TEXTS = ["where is my parcel?", "refund", "please cancel the parcel, my money please"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bert(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def facts(folder: Path) -> TextEncoderFacts:
    return load_text_encoder(str(folder))


def build(folder: Path, facts: TextEncoderFacts, **settings: object) -> TransformerClassifier:
    config = TransformerConfig.model_validate({"name": str(folder), "max_tokens": 16, **settings})
    torch.manual_seed(0)
    return build_transformer_classifier(config, 3, facts)


def tokens_of(facts: TextEncoderFacts, texts: list[str], max_tokens: int = 16) -> Tensor:
    return torch.from_numpy(TokenEncoder(facts.tokenizer, max_tokens).encode(texts)["tokens"])


def train_a_step(model: TransformerClassifier, tokens: Tensor) -> None:
    set_frozen(model, is_frozen=False)
    optimizer = build_optimizer(model, TrainConfig(learning_rate=0.05))
    model.train()(tokens)["logits"][:, 0].sum().backward()
    for group in optimizer.param_groups:
        group["lr"] = 0.05
    optimizer.step()


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_outputs_do_not_depend_on_padding(folder: Path, facts: TextEncoderFacts, pooling: str) -> None:
    model = build(folder, facts, pooling=pooling).eval()
    tokens = tokens_of(facts, TEXTS)
    with torch.no_grad():
        padded, alone = model(tokens), [model(tokens_of(facts, [text], 16)[:, :13]) for text in TEXTS]
    assert padded["logits"].shape == (3, 3)
    assert padded["embedding"].shape == (3, HIDDEN)
    for row, outputs in enumerate(alone):
        torch.testing.assert_close(outputs["logits"][0], padded["logits"][row])
    assert not torch.allclose(padded["embedding"][0], padded["embedding"][1])


def test_mean_pooling_is_the_mean_over_real_tokens(folder: Path, facts: TextEncoderFacts) -> None:
    model = build(folder, facts).eval()
    tokens = tokens_of(facts, ["refund"])
    with torch.no_grad():
        hidden = model.backbone(input_ids=tokens[:, :3].long()).last_hidden_state
        torch.testing.assert_close(model(tokens)["embedding"], hidden.mean(1))


def test_text_of_padding_alone_gives_finite_logits(folder: Path, facts: TextEncoderFacts) -> None:
    model = build(folder, facts).eval()
    assert model(torch.full((1, 4), facts.pad_id, dtype=torch.int32))["logits"].isfinite().all()


def test_full_tuning_moves_every_weight_of_the_layers(folder: Path, facts: TextEncoderFacts) -> None:
    model = build(folder, facts)
    before = {name: value.clone() for name, value in model.named_parameters()}
    train_a_step(model, tokens_of(facts, TEXTS))
    kept = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    assert not [name for name in kept if "layer" in name and name.endswith("dense.weight")]


@pytest.mark.parametrize("tuning", ["lora", "frozen"])
def test_pretrained_weights_stay_as_they_are(folder: Path, facts: TextEncoderFacts, tuning: str) -> None:
    model = build(folder, facts, tuning=tuning)
    before = {name: value.clone() for name, value in model.named_parameters()}
    train_a_step(model, tokens_of(facts, TEXTS))
    moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert "classifier.weight" in moved
    assert all("lora_" in name or name.startswith("classifier.") for name in moved)
    assert any("lora_" in name for name in moved) == (tuning == "lora")


def test_frozen_backbone_has_no_dropout(folder: Path, facts: TextEncoderFacts) -> None:
    tokens = tokens_of(facts, TEXTS)
    frozen, full = build(folder, facts, tuning="frozen").train(), build(folder, facts).train()
    assert torch.equal(frozen(tokens)["embedding"], frozen(tokens)["embedding"])
    assert not torch.equal(full(tokens)["embedding"], full(tokens)["embedding"])


def test_merged_lora_answers_the_same_with_plain_weights(folder: Path, facts: TextEncoderFacts) -> None:
    model = build(folder, facts, tuning="lora")
    tokens = tokens_of(facts, TEXTS)
    untouched = build(folder, facts).eval()(tokens)["logits"]
    train_a_step(model, tokens)
    expected = model.eval()(tokens)["logits"]
    merged = model.merged().eval()
    torch.testing.assert_close(merged(tokens)["logits"], expected)
    assert not torch.allclose(expected, untouched)
    plain = build(folder, facts, pretrained=False, tuning="lora")
    plain.load_state_dict(merged.state_dict())
    torch.testing.assert_close(plain.eval()(tokens)["logits"], expected)


def test_merged_of_a_plain_model_is_itself(folder: Path, facts: TextEncoderFacts) -> None:
    model = build(folder, facts)
    assert model.merged() is model


def test_architecture_is_rebuilt_without_the_folder(folder: Path, facts: TextEncoderFacts, tmp_path: Path) -> None:
    model = build(folder, facts).eval()
    copy = build(tmp_path / "gone", TextEncoderFacts.model_validate_json(facts.model_dump_json()), pretrained=False)
    copy.load_state_dict(model.state_dict())
    tokens = tokens_of(facts, TEXTS)
    assert torch.equal(copy.eval()(tokens)["logits"], model(tokens)["logits"])
    assert str(folder) not in facts.model_dump_json(), "no path of this machine is kept"


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_onnx_equals_pytorch_at_any_batch_and_length(
    folder: Path, facts: TextEncoderFacts, tmp_path: Path, tuning: str
) -> None:
    model = build(folder, facts, tuning=tuning)
    train_a_step(model, tokens_of(facts, TEXTS))
    tokens = tokens_of(facts, TEXTS).numpy()
    session = export(model.merged(), "tokens", tokens, tmp_path / "model.onnx")
    for rows, length in ((1, 1), (1, 5), (2, 16), (3, 9)):
        assert largest_difference(model, session, "tokens", tokens[:rows, :length]) < 1e-5
    many = np.tile(tokens, (11, 1))
    assert largest_difference(model, session, "tokens", many) < 1e-5


def test_vocabulary_without_fast_tokenizer_is_converted(facts: TextEncoderFacts, tmp_path: Path) -> None:
    slow = load_text_encoder(str(make_tiny_bert(tmp_path / "slow", has_fast_tokenizer=False)))
    assert torch.equal(tokens_of(slow, TEXTS), tokens_of(facts, TEXTS))


def test_folder_of_sentence_transformers_is_read(folder: Path, facts: TextEncoderFacts, tmp_path: Path) -> None:
    outer = tmp_path / "sentences"
    shutil.copytree(folder, outer / "0_Transformer")
    modules = [{"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}]
    (outer / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    found = load_text_encoder(str(outer))
    tokens = tokens_of(found, TEXTS)
    assert torch.equal(build(outer, found).eval()(tokens)["logits"], build(folder, facts).eval()(tokens)["logits"])


def test_id_out_of_reach_fails_at_once_and_says_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    start = time.monotonic()
    with pytest.raises(UserError, match=r"nobody/no-such-model.*\n.*\n.*give FOLDER as the model's name"):
        load_text_encoder("nobody/no-such-model")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("name", ["./no/such/folder", "~/no-such-folder", "a/b/c"])
def test_folder_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        load_text_encoder(name)


def test_broken_weights_are_told(folder: Path, facts: TextEncoderFacts, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    content = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="cannot be loaded"):
        build(broken, facts)


def test_weights_of_another_depth_are_told(folder: Path, facts: TextEncoderFacts, tmp_path: Path) -> None:
    deeper = shutil.copytree(folder, tmp_path / "deeper")
    settings = json.loads((deeper / "config.json").read_text(encoding="utf-8")) | {"num_hidden_layers": 3}
    (deeper / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(UserError, match=r"lacks \d+ weights"):
        build(deeper, facts)


def test_more_tokens_than_the_model_reads_are_told(folder: Path, facts: TextEncoderFacts) -> None:
    with pytest.raises(UserError, match="cannot read 25 tokens"):
        build(folder, facts, max_tokens=25)


def test_decoder_of_two_parts_is_refused(folder: Path, tmp_path: Path) -> None:
    translator = shutil.copytree(folder, tmp_path / "translator")
    settings = {"model_type": "t5", "is_encoder_decoder": True, "d_model": 8, "vocab_size": 18}
    (translator / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(UserError, match=r"\(t5\) is not an encoder"):
        load_text_encoder(str(translator))


def test_code_that_comes_with_a_model_is_not_run(folder: Path, tmp_path: Path) -> None:
    foreign = shutil.copytree(folder, tmp_path / "foreign")
    settings = json.loads((foreign / "config.json").read_text(encoding="utf-8"))
    settings |= {"model_type": "strange", "auto_map": {"AutoConfig": "strange.Config", "AutoModel": "strange.Model"}}
    (foreign / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (foreign / "strange.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be loaded"):
        load_text_encoder(str(foreign))
    assert not (tmp_path / "ran").exists()
