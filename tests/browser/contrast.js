// Every visible text whose contrast is below WCAG 2.2 AA (1.4.3): text to ratio and colours; {} = none.
() => {
  const parse = (colour) => {
    const numbers = (colour.match(/[\d.]+/g) || ["0", "0", "0", "0"]).map(Number);
    const scale = colour.startsWith("color(srgb") ? 255 : 1;
    return [...numbers.slice(0, 3).map((value) => value * scale), numbers[3] ?? 1];
  };
  const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat([1]);
  const luminance = (colour) => {
    const linear = colour.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const background = (element) => {
    const layers = [];
    for (; element; element = element.parentElement) layers.push(parse(getComputedStyle(element).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const found = {};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const words = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const isSeen = words && element.offsetParent && style.visibility === "visible" && box.width > 1 && box.height > 1;
    if (!isSeen || element.closest("svg, script, style, .hidden-words")) continue;
    const back = background(element);
    const front = over(parse(style.webkitTextFillColor || style.color), back);
    const [high, low] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) found[words.slice(0, 40)] = `${ratio.toFixed(2)}: ${front} on ${back}`;
  }
  return found;
}
