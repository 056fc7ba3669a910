// Before anything is painted: what is laid out otherwise with scripts must not move once they run.
document.documentElement.classList.add("scripted");
