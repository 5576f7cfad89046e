"""The settings of image augmentation."""

from pydantic import Field

from core.config import Record


class AugmentConfig(Record):
    """Random variation of training images; each range is symmetric around no change."""

    flip: bool = True
    """Mirror left-right and top-bottom, each with probability one half."""
    rotation_degrees: float = Field(default=180.0, ge=0, le=180)
    """Largest rotation."""
    zoom: float = Field(default=0.2, ge=0, lt=1)
    """Largest change of scale, as a share."""
    shear: float = Field(default=0.0, ge=0, lt=1)
    """Largest shear, as a share of the height."""
    translation: float = Field(default=0.1, ge=0, lt=1)
    """Largest shift, as a share of the side."""
    brightness: float = Field(default=0.15, ge=0, lt=1)
    """Largest change of brightness, as a share."""
    contrast: float = Field(default=0.15, ge=0, lt=1)
    """Largest change of contrast, as a share."""
    saturation: float = Field(default=0.15, ge=0, lt=1)
    """Largest change of colour saturation, as a share."""
    hue_degrees: float = Field(default=5.0, ge=0, le=180)
    """Largest rotation of the hue."""
    erase: float = Field(default=0.0, ge=0, le=1)
    """Probability of blanking a random rectangle (Zhong et al. 2020); masks are not changed."""
    early_px: int = Field(default=0, ge=0)
    """Side in pixels at which early epochs train, for speed; 0 = the full size throughout."""
    early_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the epochs that train at early_px."""
    drop_metadata: float = Field(default=0.3, ge=0, le=1)
    """Probability of hiding age, sex and site, so that the model also works without."""

    @property
    def changes_pixels(self) -> bool:
        """Is any range but that of the metadata open?"""
        return any(value for name, value in self if name not in ("drop_metadata", "early_share"))
