// Package queue carries hints through Redis, with asynq: "batch 3 of run 7 has work". A hint says where to look and nothing else; what is
// to be done stands in PostgreSQL, where a claim decides who does it. What follows from that, and what callers may rely on:
//
//   - A hint may be lost (Redis emptied, killed, failed over), come twice, come late, or come to two processes at once. Whoever gives
//     hints gives another, under a new number, when nothing has moved for a while.
//   - Nothing is retried, kept or archived here: a handler's error is logged and the hint is over.
//   - A handler that runs longer than its Timeout, or loses its lease, is abandoned by asynq while it may still be running. Its context
//     is cancelled; it must look at it before every step that matters.
//   - urgent, normal and bulk are three servers with their own concurrency, because asynq's weights choose among waiting tasks and do
//     not free a slot: with one server a long bulk handler holds the place that an urgent one needs.
package queue
