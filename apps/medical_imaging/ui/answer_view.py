"""An answer in words: one plain sentence first, then what it rests on. Pure functions giving escaped HTML."""

from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

from apps.medical_imaging.ui.label_words import name_word
from core.evaluation.decision import DecisionPolicy
from core.tasks.image_answer import ImageAnswer, Presence, Region
from core.tasks.image_schema import ImageSchema
from core.texts import Language, Text
from core.ui.widgets import Bar, bars, details, facts, heading, join_words, notice

AND, OR = Text(" and ", "和"), Text(" or ", "或")
ROWS = (Text("upper", "上"), Text("middle", "中"), Text("lower", "下"))
COLUMNS = (Text("left", "左"), Text("centre", "中"), Text("right", "右"))


class View(NamedTuple):
    """What an answer is worded with.

    Args:
        answer: Of one image.
        schema: Of the bundle.
        policy: Of the bundle.
        test_metrics: Measured on test images: name to {value, low, high}.
        metadata: What is known of the patient, as words.
        language: Of the words.
    """

    answer: ImageAnswer
    schema: ImageSchema
    policy: DecisionPolicy
    test_metrics: Mapping[str, Any]
    metadata: tuple[str, ...]
    language: Language

    def say(self, en: str, zh: str) -> str:
        return Text(en, zh).in_language(self.language)

    def name(self, label: str) -> str:
        return name_word(label, self.language)


def render_answer(view: View) -> str:
    """The whole answer as one card; of a refused image only why it is refused, the rest behind a door."""
    if view.answer.verdict.decision == "refused":
        return f'<section class="card">{_refusal(view)}</section>'
    body = f"{_verdict(view)}{_alarm(view)}{_ranking(view)}{_basis(view)}"
    return f'<section class="card">{body}</section>'


def answer_sentence(view: View) -> str:
    """The answer in one or two plain sentences."""
    answer = view.answer
    label, probability = answer.ranking[0]
    if answer.verdict.decision == "refused":
        return view.say("Cannot assess this image.", "无法评估此图像。")
    name = view.name(label)
    if label == view.schema.normal_label:
        first = view.say(
            f"Most likely no lesion: {name} (probability {probability:.2f}).",
            f"最可能无病灶：{name}（概率 {probability:.2f}）。",
        )
    else:
        first = view.say(
            f"Most likely {name} (probability {probability:.2f}).", f"最可能为{name}（概率 {probability:.2f}）。"
        )
    others = [view.name(other) for other in answer.verdict.prediction_set if other != label]
    if answer.verdict.decision != "unsure" or not others:
        return first
    listed = join_words(others, view.language, AND)
    return f"{first} {_capital(listed)}{view.say(' cannot be excluded.', '不能排除。')}".replace("。 ", "。")


def region_words(region: Region, language: Language) -> str:
    """Where the marked area lies and how large it is."""
    xmin, ymin, xmax, ymax = region.box
    row, column = ROWS[_third(ymin, ymax)], COLUMNS[_third(xmin, xmax)]
    if language == "en":
        place = "centre" if (row.en, column.en) == ("middle", "centre") else f"{row.en} {column.en}"
        return (
            f"{_area(region.area)} of the image, {place}. Box: {xmin:.0%} to {xmax:.0%} of the width, "
            f"{ymin:.0%} to {ymax:.0%} of the height."
        )
    place = "中央" if (row.zh, column.zh) == ("中", "中") else f"{column.zh}{row.zh}部"
    return (
        f"占图像面积的 {_area(region.area)}，位于{place}。"
        f"外接框：横向 {xmin:.0%} 至 {xmax:.0%}，纵向 {ymin:.0%} 至 {ymax:.0%}。"
    )


def presence_words(presence: Presence, schema: ImageSchema, language: Language) -> str:
    """Is there a lesion, and how that is known."""
    if presence.basis == "normal_label":
        normal = name_word(schema.normal_label, language)
        yes = Text("Yes", "是") if presence.present else Text("No", "否")
        return Text(
            f"{yes.en}, probability {presence.probability:.2f} (all types other than “{normal}” together).",
            f"{yes.zh}，概率 {presence.probability:.2f}（除“{normal}”外各类型概率之和）。",
        ).in_language(language)
    if presence.basis == "mask":
        found = Text("Yes: the lesion mask marks an area.", "是：病灶掩膜标出了区域。")
        empty = Text("No: the lesion mask is empty.", "否：病灶掩膜为空。")
        return (found if presence.present else empty).in_language(language)
    return Text(
        "Not judged: the training data had neither images without a lesion nor masks.",
        "未判断：训练数据中既没有无病灶图像，也没有掩膜。",
    ).in_language(language)


def _verdict(view: View) -> str:
    verdict = view.answer.verdict
    coverage = f"{view.policy.coverage:.0%}"
    sentence = f'<p class="verdict">{escape(answer_sentence(view))}</p>'
    if verdict.decision == "answered":
        left = view.say(
            f"No other type is left in the prediction set (made to hold the right type in {coverage} of cases).",
            f"预测集中没有其他类型（预测集按 {coverage} 的病例包含正确类型而设定）。",
        )
        return f'{sentence}<p class="quiet">{escape(left)}</p>'
    names = join_words([view.name(label) for label in verdict.prediction_set], view.language, OR)
    title = view.say("Not certain: read it yourself with care", "不确定：请谨慎自行判读")
    line = view.say(f"Still possible: {names}.", f"仍有可能：{names}。")
    return sentence + notice("warn", title, [line, _coverage(view)])


def _coverage(view: View) -> str:
    """The promise of the prediction sets, and whether test images kept it: it holds on average, not for one image."""
    wanted, measured = f"{view.policy.coverage:.0%}", view.test_metrics.get("set_coverage")
    if not measured or measured.get("value") is None:
        return view.say(
            f"Sets are made to hold the right type in {wanted} of cases.", f"集合按 {wanted} 的病例包含正确类型而设定。"
        )
    found = f"{measured['value']:.0%}"
    return view.say(
        f"Sets are made to hold the right type in {wanted} of cases; on test images {found} did.",
        f"集合按 {wanted} 的病例包含正确类型而设定；在测试图像上实际为 {found}。",
    )


def _alarm(view: View) -> str:
    alarm, point = view.answer.alarm, view.policy.operating_point
    if alarm is None or point is None:
        words = view.say("No operating point: no label is known as malignant.", "未设工作点：没有已知的恶性标签。")
        return f'<p class="quiet">{escape(words)}</p>'
    names = join_words([view.name(label) for label in alarm.labels], view.language, OR)
    title = (
        view.say(f"Alarm: {names} must not be missed", f"警报：不可漏诊{names}")
        if alarm.flagged
        else view.say(f"No alarm for {names}", f"未触发{names}警报")
    )
    sum_line = view.say(
        f"Summed probability {alarm.probability:.2f}; the alarm is raised from {alarm.threshold:.2f}.",
        f"合计概率 {alarm.probability:.2f}；达到 {alarm.threshold:.2f} 即触发警报。",
    )
    found, spared = point.sensitivity, point.specificity
    measured = view.say(
        f"At this threshold on {view.policy.num_examples} validation images: sensitivity {found.value:.2f} "
        f"(95% interval {found.low:.2f} to {found.high:.2f}), specificity {spared.value:.2f} "
        f"({spared.low:.2f} to {spared.high:.2f}).",
        f"该阈值在 {view.policy.num_examples} 张验证图像上："
        f"灵敏度 {found.value:.2f}（95% 区间 {found.low:.2f} 至 {found.high:.2f}），"
        f"特异度 {spared.value:.2f}（{spared.low:.2f} 至 {spared.high:.2f}）。",
    )
    return notice("alarm" if alarm.flagged else "plain", title, [sum_line, measured, *_alarm_on_test(view)])


def _alarm_on_test(view: View) -> list[str]:
    """The same figures on images that did not choose the threshold."""
    figures = [view.test_metrics.get(name) for name in ("alarm_sensitivity", "alarm_specificity")]
    if any(not figure or figure.get("value") is None for figure in figures):
        return []
    found, spared = (
        Text(
            f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})",
            f"{figure['value']:.2f}（{figure['low']:.2f} 至 {figure['high']:.2f}）",
        )
        for figure in figures
        if figure
    )
    return [
        view.say(
            f"On test images, unused in choosing it: sensitivity {found.en}, specificity {spared.en}.",
            f"在未参与选定阈值的测试图像上：灵敏度 {found.zh}，特异度 {spared.zh}。",
        )
    ]


def _ranking(view: View) -> str:
    positive = set(view.answer.alarm.labels) if view.answer.alarm else set()
    inside = set(view.answer.verdict.prediction_set)
    chip = view.say("must not be missed", "不可漏诊")
    rows = [
        Bar(view.name(label), probability, label in inside, chip if label in positive else "")
        for label, probability in view.answer.ranking
    ]
    note = view.say(
        f"Calibrated probabilities. Bold: the prediction set. {_coverage(view)} “!”: must not be missed.",
        f"概率已校准。粗体：预测集。{_coverage(view)}“!”：不可漏诊。",
    )
    return f'{heading(view.say("Types", "类型"))}{bars(rows)}<p class="quiet">{escape(note)}</p>'


def _basis(view: View) -> str:
    answer = view.answer
    rows = [(view.say("Lesion present", "是否有病灶"), presence_words(answer.presence, view.schema, view.language))]
    if answer.region is not None:
        rows.append((view.say("Marked area", "标出区域"), region_words(answer.region, view.language)))
        rows.append((view.say("Traced from", "区域来源"), _trace(view, answer.region)))
    if view.schema.uses_metadata:
        none = view.say("none given; the image alone was read", "未提供；仅根据图像判断")
        given = (", " if view.language == "en" else "、").join(name_word(word, view.language) for word in view.metadata)
        rows.append((view.say("Age, sex, site", "年龄、性别、部位"), given or none))
    return heading(view.say("What it rests on", "依据")) + facts(rows)


def _trace(view: View, region: Region) -> str:
    if region.basis == "mask":
        return view.say("the lesion mask that the model has learnt to draw", "模型学会绘制的病灶掩膜")
    return view.say(
        "the evidence map at half its maximum; it is not the border of the lesion", "热力图半高处；并非病灶边界"
    )


def _refusal(view: View) -> str:
    reasons = [reason.in_language(view.language) for reason in view.answer.verdict.reasons]
    box = notice("stop", answer_sentence(view), reasons)
    told = view.say("No type is given, because it would not be reliable.", "不给出类型，因为结果不可靠。")
    warning = view.say(
        "These numbers are not an answer. They come from an image that the model should not judge.",
        "以下数字并非答案：该图像不适合由模型判断。",
    )
    rows = [Bar(view.name(label), probability) for label, probability in view.answer.ranking]
    raw = f'<p class="quiet">{escape(warning)}</p>{bars(rows)}'
    door = details(view.say("Show the model's raw output anyway", "仍要显示模型的原始输出"), raw)
    return f'{box}<p class="quiet">{escape(told)}</p>{door}'


def _area(share: float) -> str:
    return "<1%" if share < 0.01 else f"{share:.0%}"


def _third(low: float, high: float) -> int:
    return min(2, int((low + high) / 2 * 3))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
