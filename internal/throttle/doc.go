// Package throttle gives out time slots for message parts, so that the processes which share a route, a bind or a campaign together keep
// to its rate.
//
// The state of a limit is one number in Redis: its next free slot. A reservation asks for many parts at once; one script, run on Redis'
// own clock, takes the latest next free slot of all the limits named, lays the parts out at the pace of the slowest and moves every limit
// behind its last part. What holds:
//
//   - Two parts of one limit are never closer than 1/rate, within a reservation and between reservations, whoever asks. So no second
//     holds more than the rate (a rate of 2.5 may put 3 parts into one second and 2 into the next), and idle time is never saved up
//     for a burst.
//   - All limits of a reservation are taken together or not at all.
//   - A slot that is given and not used is lost, never given twice. An answer that gets lost on the way costs slots, not the rate.
//   - A next free slot that no live reservation can explain (a Redis whose clock jumped back, a failover) is drawn in to MaxHorizon
//     ahead, so that a clock gone wrong delays parts by a minute, not hours.
//   - When Redis does not answer, Reserve says so and the caller sends nothing. A reservation with no limit set does not ask Redis.
//
// A Redis that loses its memory or its newest writes forgets at most the slots given within the horizon; for that long the rate may
// be passed once.
//
// Limits with different rates in one reservation hold the faster ones for the whole time in which the parts are laid out: a campaign at
// 100 parts a second that reserves half a second of a route at 1,000 holds that route for half a second. Short horizons keep that small.
package throttle
