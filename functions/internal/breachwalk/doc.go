// Package breachwalk goes the way of a breach against the real command and in a real Chromium: somebody declares it on her
// phone, somebody on call answers at night, two people decide, a notice is written and approved as it is sent, each customer
// is told once, and the case is closed and looked back at. It holds tests only.
package breachwalk
