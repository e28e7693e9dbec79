// Package chaos runs a campaign of several processes while it kills, stops and starves everything under it, and holds
// what the message centre recorded to what the ledger says after every such moment. The centre is in this process, so
// its record is the truth about what was on the wire. docs/decisions/0070-recovery-suite.md says what is covered.
package chaos
