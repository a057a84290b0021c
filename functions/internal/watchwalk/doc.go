// Package watchwalk goes the way of an alarm against the real command and in a real Chromium: an entry of the log comes in,
// a mail arrives, the person opens its link, explains, somebody else reviews, and the trust page follows. It holds tests
// only.
package watchwalk
