// After a click on a card, which may be gone then, the keyboard goes on at the card in its place.
let place = -1;
element.addEventListener('click', (event) => {
  const card = event.target.closest('.cards > .item');
  place = card ? [...card.parentElement.children].indexOf(card) : -1;
});
watch('value', () => {
  if (place >= 0 && (document.activeElement === document.body || !document.activeElement)) {
    const cards = element.querySelectorAll('.cards > .item');
    cards[Math.min(place, cards.length - 1)]?.querySelector('.title')?.focus({preventScroll: true});
  }
  place = -1;
});
