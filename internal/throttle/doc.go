// Package throttle gives out time slots for message parts, so that the processes which share a route, a bind or a campaign together keep
// to its rate.
//
// The state of a limit is one number in Redis: when its next part is due at its rate. A reservation asks for many parts at once; one
// script, run on Redis' own clock, lays the parts out from the next free slot of the first limit on, at its pace, as far as every other
// limit has parts to give, and charges each limit for what was taken. What holds:
//
//   - Two parts of a limit that spaces are never closer than 1/rate, within a reservation and between reservations, whoever asks. So no
//     second holds more than the rate (a rate of 2.5 may put 3 parts into one second and 2 into the next), and idle time is never saved
//     up for a burst.
//   - A limit that counts gives at most rate × t + burst parts over any time t.
//   - All limits of a reservation are taken together or not at all. Who has to wait for a limit that counts takes no slot of the one that
//     spaces.
//   - A slot that is given and not used is lost, never given twice. An answer that gets lost on the way costs slots, not the rate.
//   - What is due further ahead than any live reservation can explain (a Redis whose clock jumped back, a failover) is drawn in to
//     MaxHorizon, so that a clock gone wrong delays parts by a minute, not hours.
//   - When Redis does not answer, Reserve says so and the caller sends nothing. A reservation with no limit set does not ask Redis.
//
// A Redis that loses its memory or its newest writes forgets at most the slots given within the horizon; for that long the rate may
// be passed once.
package throttle
