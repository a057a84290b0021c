// Package erasurewalk goes the way of a request to be forgotten against the real command and in a real Chromium: somebody
// asks, gets a mail, confirms; the desk looks at the plan and approves; a search finds nothing left, and her page says so,
// while the same person stays whole in the twin of her organisation. It holds tests only.
package erasurewalk
