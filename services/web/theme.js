// A classic script in the head, so that a chosen theme stands before the first paint.
const stored = (() => {
  try {
    return localStorage.getItem('tollgate-theme');
  } catch {
    // Storage is refused in some private windows; the system's preference holds then.
    return null;
  }
})();
if (stored === 'light' || stored === 'dark') document.documentElement.dataset['theme'] = stored;
