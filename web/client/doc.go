// Package client calls a Pukar server over the unix socket in its home. The command line is made of it.
//
// Every error that it returns is either ErrNoServer, an *api.Problem as the server told it, or the failure of the
// connection itself.
package client
