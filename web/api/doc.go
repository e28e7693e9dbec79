// Package api holds what travels between the server and its clients: bodies of requests and answers, and problems.
//
// Times travel as RFC 3339 in Indian time, numbers of people as digits without a plus, money as decimal text in rupees.
package api
