"""What the app is: read this first. It names the pieces; the work is in core and in data.py, model.py and ui.py."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.app import AppSpec, Progress, Recipe
from core.backbones.image_config import ImageModelConfig
from core.config import Config
from core.data.image_config import ImageDataConfig
from core.errors import UsageError
from core.tasks.augment_config import AugmentConfig
from core.tasks.image_schema import ImageSchema
from core.texts import Text

if TYPE_CHECKING:
    import gradio as gr
    from torch import nn

    from core.data.module import DataModule, Example
    from core.serving.predictor import Predictor
    from core.serving.store import Store
    from core.tasks.image import ImageTask


class MedicalDataConfig(ImageDataConfig):
    """Images of skin lesions."""

    normal_label: str = "auto"
    """The label that says `no lesion`; auto = normal, healthy, healthy_skin and the like; none = there is none."""


class MedicalImagingConfig(Config):
    """A run of this app."""

    data: MedicalDataConfig = MedicalDataConfig()
    model: ImageModelConfig = ImageModelConfig()
    augment: AugmentConfig = AugmentConfig()


def build_data(config: MedicalImagingConfig, progress: Progress) -> "DataModule":
    """Reads, checks and splits the images."""
    from apps.medical_imaging.data import load_lesions

    return load_lesions(config, progress)


def build_task(config: MedicalImagingConfig, schema: ImageSchema) -> "ImageTask":
    """Labels, masks and metadata as arrays, and back."""
    from core.tasks.image import ImageTask

    return ImageTask(schema, config.train, config.augment, max_megapixels=config.data.max_megapixels)


def build_model(config: MedicalImagingConfig, schema: ImageSchema) -> "nn.Module":
    """Backbone, classifier and, where the data has masks, a mask decoder."""
    from core.backbones.image_model import build_image_model

    if config.model.backbone == "handbook_cnn" and config.augment.early_px:
        raise UsageError(
            f"handbook_cnn with augment.early_px {config.augment.early_px}.",
            "Its dense layer is made for one size of image.",
            "Set augment.early_px to 0.",
        )
    return build_image_model(
        config.model,
        image_px=schema.image_px,
        num_labels=len(schema.labels),
        num_metadata=schema.num_metadata,
        has_masks=schema.mask_share > 0,
        pixel_mean=schema.pixel_mean,
        pixel_std=schema.pixel_std,
    )


def build_page(predictor: "Predictor", store: "Store") -> "gr.Blocks":
    """The page for readers of images."""
    from apps.medical_imaging.ui import build_lesion_page

    return build_lesion_page(predictor, store)


def read_input(text: str) -> "Example":
    """An image file of any kind that training reads."""
    return {"image": text, "path": text}


SPEC = AppSpec(
    name="medical_imaging",
    title=Text("Skin lesion reading aid", "皮肤病灶阅片助手"),
    summary=Text(
        "Says whether a dermoscopy image shows a lesion, of which type, and where, or why it cannot say.",
        "判断皮肤镜图像中是否有病灶、属于哪种类型、位于何处；无法判断时说明原因。",
    ),
    limits=(
        Text(
            "For research and teaching only. It is not a medical device and must not guide the care of a patient.",
            "仅供科研与教学使用。本软件不是医疗器械，不得用于指导患者诊疗。",
        ),
        Text(
            "It knows only the types it was trained on, and only images like those it was trained on.",
            "它只认识训练数据中的类型，也只适用于与训练数据相似的图像。",
        ),
        Text(
            "Public dermoscopy collections hold few images of dark skin: expect more errors there than measured.",
            "公开的皮肤镜数据集中深肤色图像很少：在深肤色上，错误率可能高于所示指标。",
        ),
        Text(
            "A map shows where the evidence lies, not why it is evidence, and not the border of the lesion.",
            "热力图只显示依据所在的位置，既不说明原因，也不代表病灶边界。",
        ),
    ),
    recipes=(Recipe("classify", MedicalImagingConfig, ImageSchema, build_data, build_task, build_model),),
    configs=Path(__file__).parent / "configs",
    build_page=build_page,
    read_input=read_input,
)
