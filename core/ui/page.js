// Acts in the browser alone: opacity of overlays, images pasted from the clipboard, the title in the page's language.
(() => {
  const isChinese = () => navigator.language.startsWith("zh");

  document.addEventListener("input", (event) => {
    if (!event.target.matches(".viewer input.opacity")) return;
    event.target.closest(".viewer").style.setProperty("--opacity", event.target.value / 100);
  });

  // A pasted file goes to the drop zone that is on screen, as if it had been dropped there.
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData ? event.clipboardData.files : [];
    if (!files.length) return;
    const zone = [...document.querySelectorAll(".drop-zone")].find((one) => one.offsetParent !== null);
    if (!zone) return;
    const remove = zone.querySelector("button[aria-label='Clear'], button[aria-label='清除']");
    const give = () => {
      const input = zone.querySelector("input[type=file]");
      if (!input) return;
      const carrier = new DataTransfer();
      for (const file of files) carrier.items.add(file);
      input.files = carrier.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    event.preventDefault();
    if (zone.querySelector("input[type=file]")) give();
    else if (remove) {
      remove.click();
      setTimeout(give, 150);
    }
  });

  const finish = () => {
    const header = document.querySelector("[data-title-en]");
    if (!header) return setTimeout(finish, 100);
    document.title = isChinese() ? header.dataset.titleZh : header.dataset.titleEn;
    const current = isChinese() ? "zh" : "en";
    for (const link of document.querySelectorAll("[data-language]")) {
      if (link.dataset.language === current) link.setAttribute("aria-current", "true");
    }
  };
  finish();
})();
