// Keeps the end of the chat in sight, with the question above its answer, unless the reader has scrolled up to read.
const frame = element.closest('#chat-scroll');
let follows = true;
const toEnd = () => {
  if (!follows) return;
  const asked = [...element.querySelectorAll('.line.customer')].pop();
  const end = frame.scrollHeight - frame.clientHeight;
  const top = asked ? asked.offsetTop - frame.offsetTop - 12 : end;
  frame.scrollTop = Math.min(end, Math.max(top, 0));
};
for (const kind of ['wheel', 'touchmove', 'keydown'])
  frame.addEventListener(kind, () => requestAnimationFrame(() => {
    follows = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 60;
  }), {passive: true});
document.querySelector('#chat').addEventListener('acted', () => { follows = true; }, true);
new MutationObserver(toEnd).observe(frame, {childList: true, subtree: true, characterData: true});
