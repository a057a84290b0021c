// Package log keeps evidence in a transparency log: append-only, in the order of a Merkle tree that anybody can check.
//
// A log is three stores: the inbox, where controls leave records; the log itself, tiles and entry bundles that are
// made once and never replaced (C2SP tlog-tiles); and the head, a small store that says how far the log goes. One
// pass of the Sequencer takes records from the inbox into the log; a Reader reads them back, verified.
//
// It promises that a record, once accepted by the inbox, enters the log once and stays: several sequencers at work,
// one that dies at any call, and a record that is handed in again within eight days change nothing. Whoever holds
// the verifier key sees any change of what was signed. Whoever may only create in the inbox stops nobody: an object that
// can be neither read nor deleted is on record once, with the writer in whose place it lies, and stays there until a
// person removes it. It does not say that a record is true, nor that the key was in good hands.
package log
