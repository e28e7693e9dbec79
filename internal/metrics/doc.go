// Package metrics is what a process tells Prometheus about itself: every metric of ours is named here, and nowhere else.
//
// What holds:
//
//   - Nothing is global: New takes the registerer, and a nil *Metrics counts nothing, for whoever has no use for it.
//   - Labels are bounded by the configuration and by the program: route, bind, result, state, lane, role, source, endpoint,
//     class. Never the name of a campaign, a number of a person or a text.
//   - What happens for every part is counted once for a stride or a group (Tally, Histogram.Merge): a part costs a few
//     nanoseconds, whatever the rate.
//   - What is read from elsewhere at a scrape (the database, Redis, disks) is bounded in time and kept for five seconds, so
//     that no number of scrapers can be a load.
//
// docs/operations.md has a line for each metric; a test compares the two in both directions.
package metrics
