// Package otp is the house's second factor: it binds authenticators to people, checks one-time passwords (HOTP of
// RFC 4226, TOTP of RFC 6238) and keeps the state that makes a code good for one login only.
//
// It promises that a code which succeeded never succeeds again, by step and by value; that a code older than the
// last accepted one is dead; that at most a fixed number of guesses is ever evaluated between two successes of
// one account, over all its authenticators (NIST SP 800-63B-4 section 3.2.2); that the failure is on disk before
// the answer leaves; and that a lost transaction burns nothing. The decision is the pure function Check: account,
// unwrapped seeds, code and time in, new account and result out, so that a caller may grant something in the same
// transaction that consumes the code.
//
// It does not know who is signed in, nor which role a caller has: the function does. It sends no mail; it hands
// notices to a callback inside the transaction. It does not resist phishing: a person who types a code into a
// stranger's page has given it away, and the evidence does not claim otherwise (NIST SP 800-63B-4 section 3.2.5).
// Composite secrets, mutual authentication and data-bearing codes (RFC 4226 sections 7.6, 7.7 and appendix E) are
// outside.
//
// Enrol and Import only seal. CheckOnce, Attempt, Confirm, Resync, Regenerate and Rewrap open seeds: only
// identities that may decrypt can run them.
package otp
