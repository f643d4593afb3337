/* SPDX-License-Identifier: MIT */
/*
 * What a pointer, a finger or the arrow keys do: the numbers of all series at the point that is
 * nearest. The plot itself is there without it.
 */
'use strict';
(() => {
	const data = JSON.parse(document.getElementById('data').textContent);
	const chart = document.getElementById('chart');
	const tip = document.getElementById('tip');
	const hidden = new Set();
	let shown = -1; /* index of the point whose numbers are shown */

	/* As words.c writes them: three digits. */
	const number = (v) => Math.abs(v) < 0.0995 && v !== 0 ? String(Number(v.toPrecision(2)))
		: v.toFixed(Math.abs(v) < 9.995 ? 2 : Math.abs(v) < 99.95 ? 1 : 0);
	const units = [[1e6, 's'], [1e3, 'ms'], [1, 'µs'], [1e-3, 'ns']];
	const unitOf = (us) => units.find(([unit]) => us >= unit * 0.9995) || units[3];
	const time = (us) => `${number(us / unitOf(us)[0])} ${unitOf(us)[1]}`;
	const range = (us, from, to) => `${number(from / unitOf(us)[0])} to ${number(to / unitOf(us)[0])}`;
	const size = (x) => {
		const names = ['B', 'KB', 'MB', 'GB', 'TB'];
		let i = 0;

		for (; x >= 1024 && i < 4; i++)
			x /= 1024;
		return `${x < 10 && x % 1 ? x.toFixed(1) : x.toFixed(0)} ${names[i]}`;
	};
	const place = (x) => data.unit === 'bytes' ? size(x)
		: String(x).replace(/\B(?=(\d{3})+$)/g, ' ');
	const add = (parent, tag, text) => {
		const element = parent.appendChild(document.createElement(tag));

		if (text !== undefined)
			element.textContent = text;
		return element;
	};

	const plot = () => [...chart.querySelectorAll('svg.plot')]
		.find((svg) => svg.getClientRects().length);
	/* The points of the plot, left to right: their number, and where they are on the screen. */
	const points = () => {
		const svg = plot();
		const box = svg.getBoundingClientRect();
		const scale = box.width / svg.viewBox.baseVal.width;

		return [...svg.querySelectorAll('.cross')].map((cross) => ({
			index: Number(cross.dataset.x),
			x: box.left + cross.getBBox().x * scale,
		}));
	};

	const fill = (index) => {
		const rows = data.series
			.map((series, i) => ({ series, i, point: series.points[index] }))
			.filter(({ i, point }) => point.median_us !== null && !hidden.has(i))
			.sort((a, b) => b.point.median_us - a.point.median_us);
		const parent = data.parent.find((p) => !p.huge && p.x === data.series[0].points[index].x);

		tip.replaceChildren();
		if (data.unit)
			add(tip, 'strong', `${place(data.series[0].points[index].x)} ${data.axis}`);
		if (parent && parent.VmPTE !== null)
			add(tip, 'p', `page tables ${size(parent.VmPTE)}`);
		const table = add(tip, 'table');
		for (const { series, i, point } of rows) {
			const row = add(table, 'tr');
			const head = add(add(row, 'th'), 'div');
			const swatch = document.querySelector(`[data-toggle="${i}"] .swatch`);

			head.className = 'head';
			head.append(swatch.cloneNode(true));
			add(head, 'span', series.name);
			add(row, 'td', time(point.median_us));
			add(row, 'td', point.p10_us === null || point.p90_us === null ? ''
				: range(point.median_us, point.p10_us, point.p90_us));
		}
	};

	/* Beside the point, on the side that has more room. */
	const move = (x) => {
		const box = chart.getBoundingClientRect();
		const right = x - box.left < box.width / 2;
		const left = right ? x - box.left + 14 : x - box.left - 14 - tip.offsetWidth;

		tip.style.left = `${Math.max(0, Math.min(left, box.width - tip.offsetWidth))}px`;
		tip.style.top = `${Math.max(0, (plot().clientHeight - tip.offsetHeight) / 2)}px`;
	};

	const show = (point, x = point.x) => {
		for (const cross of chart.querySelectorAll('.cross'))
			cross.classList.toggle('on', Number(cross.dataset.x) === point.index);
		if (shown !== point.index || tip.hidden) {
			shown = point.index;
			fill(point.index);
			tip.hidden = false;
		}
		move(x);
	};
	const hide = () => {
		shown = -1;
		tip.hidden = true;
		for (const cross of chart.querySelectorAll('.cross'))
			cross.classList.remove('on');
	};

	const follow = (event) => {
		const all = points();

		if (!all.length)
			return;
		const nearest = all.reduce((a, b) =>
			Math.abs(b.x - event.clientX) < Math.abs(a.x - event.clientX) ? b : a);
		show(nearest, all.length > 1 ? nearest.x : event.clientX);
	};
	chart.addEventListener('pointermove', follow);
	chart.addEventListener('pointerdown', follow);
	chart.addEventListener('pointerleave', (event) => {
		if (event.pointerType === 'mouse')
			hide();
	});
	document.addEventListener('pointerdown', (event) => {
		if (!chart.contains(event.target))
			hide();
	});

	chart.addEventListener('keydown', (event) => {
		const all = points();
		const at = all.findIndex((point) => point.index === shown);
		const to = {
			ArrowRight: at + 1,
			ArrowLeft: at < 0 ? all.length - 1 : at - 1,
			Home: 0,
			End: all.length - 1,
		}[event.key];

		if (event.key === 'Escape')
			hide();
		if (to === undefined || !all.length)
			return;
		event.preventDefault();
		show(all[Math.max(0, Math.min(to, all.length - 1))]);
	});
	chart.addEventListener('blur', hide);
	addEventListener('resize', hide);

	document.querySelector('.legend').addEventListener('click', (event) => {
		const button = event.target.closest('button');

		if (!button)
			return;
		const i = Number(button.dataset.toggle);
		const off = !hidden.has(i);

		hidden[off ? 'add' : 'delete'](i);
		button.setAttribute('aria-pressed', String(!off));
		for (const part of chart.querySelectorAll(`[data-series="${i}"]`))
			part.classList.toggle('off', off);
		hide();
	});
})();
