// Buttons and forms of our own HTML: a click tells the server what the button stands for and what its form holds.
const chinese = navigator.language.startsWith('zh');

const settle = () => {
  for (const entry of element.querySelectorAll('[data-placeholder-en]'))
    entry.placeholder = chinese ? entry.dataset.placeholderZh : entry.dataset.placeholderEn;
  // A form that has come to stand for something else forgets what was typed into it.
  for (const form of element.querySelectorAll('form[data-key]')) {
    if (form.suiteKey !== undefined && form.suiteKey !== form.dataset.key) form.reset();
    form.suiteKey = form.dataset.key;
  }
};

// A form with `data-live` tells of every change, once after a quick row of them.
let pause;
element.addEventListener('input', (event) => {
  const form = event.target.closest('form[data-live]');
  if (!form) return;
  clearTimeout(pause);
  pause = setTimeout(
    () => trigger('click', {...Object.fromEntries(new FormData(form)), ...form.dataset, act: form.dataset.live}),
    120,
  );
});

element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  event.preventDefault();
  clearTimeout(pause);
  const form = button.closest('form');
  const typed = form ? Object.fromEntries(new FormData(form)) : {};
  trigger('click', {...typed, ...(form ? form.dataset : {}), ...button.dataset});
  // On a narrow page what a click shows stands below the list.
  const shows = button.dataset.shows && document.getElementById(button.dataset.shows);
  if (shows && shows.getBoundingClientRect().top > innerHeight) shows.scrollIntoView({behavior: 'smooth'});
  element.dispatchEvent(new CustomEvent('acted', {detail: button.dataset.act}));
});
element.addEventListener('submit', (event) => event.preventDefault());
watch('value', settle);
settle();
