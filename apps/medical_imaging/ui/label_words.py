"""What labels, sexes and sites are called on the page, in both languages; unknown ones as the data spells them."""

from typing import Any

from core.texts import Language, Text
from core.ui.translations import label

NAMES: dict[str, Text] = {
    "melanoma": Text("melanoma", "黑色素瘤"),
    "nevus": Text("nevus", "色素痣"),
    "basal_cell_carcinoma": Text("basal cell carcinoma", "基底细胞癌"),
    "squamous_cell_carcinoma": Text("squamous cell carcinoma", "鳞状细胞癌"),
    "actinic_keratosis": Text("actinic keratosis", "光线性角化病"),
    "akiec": Text("actinic keratosis or Bowen's disease", "光线性角化病或鲍温病"),
    "benign_keratosis": Text("benign keratosis", "良性角化病"),
    "seborrheic_keratosis": Text("seborrheic keratosis", "脂溢性角化病"),
    "dermatofibroma": Text("dermatofibroma", "皮肤纤维瘤"),
    "vascular_lesion": Text("vascular lesion", "血管性病变"),
    "healthy_skin": Text("healthy skin", "健康皮肤"),
    "malignant": Text("malignant", "恶性"),
    "benign": Text("benign", "良性"),
    "other": Text("other", "其他"),
    "female": Text("female", "女"),
    "male": Text("male", "男"),
    "abdomen": Text("abdomen", "腹部"),
    "back": Text("back", "背部"),
    "chest": Text("chest", "胸部"),
    "ear": Text("ear", "耳部"),
    "face": Text("face", "面部"),
    "foot": Text("foot", "足部"),
    "hand": Text("hand", "手部"),
    "lower_extremity": Text("lower extremity", "下肢"),
    "upper_extremity": Text("upper extremity", "上肢"),
    "neck": Text("neck", "颈部"),
    "scalp": Text("scalp", "头皮"),
    "trunk": Text("trunk", "躯干"),
    "genital": Text("genital", "生殖器"),
    "acral": Text("acral", "肢端"),
}
SAME = {
    "mel": "melanoma", "nv": "nevus", "naevus": "nevus", "melanocytic_nevus": "nevus", "bcc": "basal_cell_carcinoma",
    "scc": "squamous_cell_carcinoma", "ak": "actinic_keratosis", "bkl": "benign_keratosis", "df": "dermatofibroma",
    "vasc": "vascular_lesion", "sk": "seborrheic_keratosis", "normal": "healthy_skin", "healthy": "healthy_skin",
    "normal_skin": "healthy_skin", "melanocytic_nevi": "nevus", "benign_keratosis_like_lesion": "benign_keratosis",
}  # fmt: skip
"""Short forms of ISIC and HAM10000."""


def name_text(word: str) -> Text:
    """A label, sex or site as readers say it, in both languages."""
    key = word.strip().lower().replace(" ", "_").replace("-", "_")
    plain = word.replace("_", " ").strip() or word
    return NAMES.get(SAME.get(key, key), Text(plain, plain))


def name_word(word: str, language: Language) -> str:
    """A label, sex or site as readers say it."""
    return name_text(word).in_language(language)


def choices(words: tuple[str, ...]) -> list[tuple[Any, str]]:
    """(name, word) for a dropdown; the name is shown in the page's language."""
    return [(label(name_text(word)), word) for word in words]
