// The entry of the chat: grows with its text, sends on Enter, but not while a Chinese word is being composed.
const entry = element.querySelector('textarea');
const fit = () => {
  entry.style.height = 'auto';
  entry.style.height = `${Math.min(entry.scrollHeight, 168)}px`;
};
entry.addEventListener('input', fit);
entry.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  element.querySelector('button').click();
});
element.addEventListener('acted', () => {
  entry.value = '';
  fit();
  entry.focus();
});
