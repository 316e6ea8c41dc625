import { chartSize } from './line-chart.js';

/**
 * What moves in a report, as text for the page: the theme, lines that come and go, values under the pointer or by arrow
 * keys, what is seen of the pictures, and a run's page that is loaded again while the run goes on. Without it the page is whole but still.
 */
export const pageScript = `'use strict';
{
  const data = JSON.parse(document.getElementById('report-data').textContent);
  const size = ${JSON.stringify(chartSize)};
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  const theme = document.querySelector('.theme');
  const themes = ['auto', 'light', 'dark'];
  const showTheme = (name) => {
    if (name === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.dataset.now = name;
    theme.textContent = 'Theme: ' + name;
  };
  let kept = 'auto';
  try { kept = localStorage.getItem('boxwright-theme') || 'auto'; } catch {}
  showTheme(themes.includes(kept) ? kept : 'auto');
  theme.hidden = false;
  theme.addEventListener('click', () => {
    const next = themes[(themes.indexOf(theme.dataset.now) + 1) % themes.length];
    showTheme(next);
    try { localStorage.setItem('boxwright-theme', next); } catch {}
  });

  const time = document.querySelector('.state time');
  const follow = document.querySelector('.follow input');
  if (time && follow) {
    try { follow.checked = localStorage.getItem('boxwright-follow') !== 'no'; } catch {}
    follow.closest('label').hidden = false;
    follow.addEventListener('change', () => { try { localStorage.setItem('boxwright-follow', follow.checked ? 'yes' : 'no'); } catch {} });
    const ago = time.parentNode.appendChild(document.createElement('span'));
    const tell = () => {
      const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60000);
      ago.textContent = minutes < 1 ? '' : ', ' + (minutes < 120 ? minutes + ' min' : minutes < 2880 ? Math.floor(minutes / 60) + ' hours' : Math.floor(minutes / 1440) + ' days') + ' ago';
    };
    tell();
    // Not under the eyes or hands of whoever reads: what is unfolded or enlarged would be folded again.
    let touched = 0;
    for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove']) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
    setInterval(() => {
      tell();
      if (follow.checked && !document.hidden && Date.now() - touched > 10000 && !document.querySelector('details[open], .large')) location.reload();
    }, 60000);
  }

  const text = (value) => (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4))));
  for (const plot of all('.plot')) {
    const chart = data.charts[plot.dataset.chart];
    const figure = plot.closest('figure');
    const lines = all('.plot .series', figure);
    const cursor = plot.querySelector('.cursor');
    const readout = figure.querySelector('.readout');
    let at = -1;
    const shown = () => chart.series.filter((_, i) => !lines[i].hasAttribute('hidden'));
    const places = () => [...new Set(shown().flatMap((one) => one.points.map((point) => point[0])))].sort((a, b) => a - b);
    const show = (xs, index) => {
      at = index;
      if (index < 0) { cursor.setAttribute('hidden', ''); readout.textContent = ''; return; }
      const x = xs[index];
      const px = size.left + ((x - chart.x[0]) / (chart.x[1] - chart.x[0])) * (size.width - size.left - size.right);
      cursor.removeAttribute('hidden');
      for (const line of all('line', cursor)) { line.setAttribute('x1', px); line.setAttribute('x2', px); }
      const values = shown().flatMap((one) => {
        const point = one.points.find((point) => point[0] === x);
        return point ? [one.name + ' ' + text(point[1])] : [];
      });
      readout.textContent = chart.xLabel + ' ' + text(x) + ': ' + values.slice(0, 8).join(', ') + (values.length > 8 ? ', …' : '');
    };
    plot.addEventListener('pointermove', (event) => {
      const box = plot.getBoundingClientRect();
      const u = ((event.clientX - box.left) / box.width) * size.width;
      const x = chart.x[0] + ((u - size.left) / (size.width - size.left - size.right)) * (chart.x[1] - chart.x[0]);
      const xs = places();
      let best = -1;
      for (let i = 0; i < xs.length; i++) if (best < 0 || Math.abs(xs[i] - x) < Math.abs(xs[best] - x)) best = i;
      show(xs, best);
    });
    plot.addEventListener('pointerleave', () => show([], -1));
    plot.addEventListener('blur', () => show([], -1));
    plot.addEventListener('keydown', (event) => {
      const xs = places();
      const last = xs.length - 1;
      const next = { ArrowRight: Math.min(last, at + 1), ArrowLeft: at < 0 ? last : Math.max(0, at - 1), Home: 0, End: last, Escape: -1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      show(xs, next);
    });
    for (const button of all('.legend button', figure)) {
      button.addEventListener('click', () => {
        const on = button.getAttribute('aria-pressed') !== 'true';
        button.setAttribute('aria-pressed', on);
        lines[button.dataset.series].toggleAttribute('hidden', !on);
      });
    }
  }

  const gallery = document.querySelector('.gallery');
  const controls = document.querySelector('.controls');
  if (gallery && controls) {
    controls.hidden = false;
    const slider = controls.querySelector('input[type=range]');
    const own = controls.querySelector('input[name=own]');
    const output = controls.querySelector('output');
    const threshold = (label) => (own && own.checked ? data.thresholds[label] : Number(slider.value));
    const refresh = () => {
      for (const name of ['objects', 'detections', 'names']) gallery.classList.toggle('no-' + name, !controls.querySelector('input[name=' + name + ']').checked);
      const kind = controls.querySelector('input[name=fault]:checked').value;
      for (const figure of all('figure', gallery)) figure.hidden = kind !== 'all' && !figure.dataset.faults.split(' ').includes(kind);
      for (const box of all('.detection', gallery)) box.toggleAttribute('hidden', Number(box.dataset.score) < threshold(box.dataset.label));
      for (const box of all('.object', gallery)) {
        const found = box.dataset.found === '' ? -1 : Number(box.dataset.found);
        box.classList.toggle('missed', box.dataset.crowd !== 'true' && found < threshold(box.dataset.label));
      }
      const count = (selector) => all('figure:not([hidden]) ' + selector, gallery).length;
      const from = own && own.checked ? "From each class's own score on" : 'From a score of ' + Number(slider.value).toFixed(2) + ' on';
      output.textContent = from + ', ' + count('.detection:not([hidden])') + ' of ' + count('.detection') + ' detections are shown, ' + count('.object.missed') + ' of ' + count('.object') + ' objects missed.';
    };
    controls.addEventListener('change', refresh);
    slider.addEventListener('input', () => { if (own) own.checked = false; refresh(); });
    for (const button of all('.enlarge', gallery)) {
      button.hidden = false;
      button.addEventListener('click', () => {
        const large = button.closest('figure').classList.toggle('large');
        button.setAttribute('aria-pressed', large);
      });
    }
    refresh();
  }
}
`;
