// Package embedded runs private PostgreSQL and Redis servers under one home folder, for everyone who has not set up
// servers of their own. They are the machine's real servers, started with settings that the send ledger relies on.
//
// Invariants:
//
//   - One process at a time works on a home; a lock on the file "lock" in it says who.
//   - The servers listen on unix sockets in a folder that only their own account (and root) can enter, never on TCP.
//   - They run in process groups of their own, so that a Ctrl-C meant for the program does not end them before the
//     program has drained, and they outlive a kill -9 of it: the next Start adopts them.
//   - A server that ends while it is needed is started again.
//   - Nothing limits how long crash recovery may take; only the caller's context ends the wait.
package embedded
