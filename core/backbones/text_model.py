"""The network that a text config names; what it needs of the data comes with the schema's facts."""

from torch import nn

from core.backbones.text_config import TextModelConfig
from core.data.vocabulary_config import Vocabulary


def build_text_model(
    config: TextModelConfig, *, num_labels: int, vocabulary: Vocabulary | None, tokenizer: str, architecture: str
) -> nn.Module:
    """A text model: `forward` and `serve` give logits and embedding.

    Args:
        config: Encoder and its settings.
        num_labels: K.
        vocabulary: Of models that are trained from scratch.
        tokenizer: Content of tokenizer.json, of pretrained models.
        architecture: Content of config.json, of pretrained models.

    Raises:
        UserError: Pretrained weights cannot be had.
    """
    if config.encoder == "transformer":
        from core.backbones.transformer import build_transformer_classifier
        from core.backbones.transformer_files import TextEncoderFacts

        facts = TextEncoderFacts(tokenizer=tokenizer, architecture=architecture)
        return build_transformer_classifier(config.transformer, num_labels, facts)
    assert vocabulary is not None
    if config.encoder == "recurrent":
        from core.backbones.sequence import SequenceClassifier

        return SequenceClassifier(config.recurrent, vocabulary, num_labels)
    from core.backbones.text_cnn import TextCNN

    model = TextCNN(config.text_cnn, vocabulary, num_labels)
    known = config.text_cnn.word_vectors
    if known.name and known.pretrained:
        from core.backbones.word_vectors import load_word_vectors

        model.start_from(load_word_vectors(known.name, vocabulary.words, config.text_cnn.vector_size))
    return model
