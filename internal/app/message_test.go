package app

import (
	"fmt"
	"path/filepath"
	"testing"

	"pukar/smpp/smsc"
	"pukar/templates"
	"pukar/web/api"
	"pukar/web/client"
)

const closedTemplate = `
name: complaint-closed
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name]
fallback_language: en
languages:
  en: {template_id: "1107172974420810005", text: "Dear {#alphanumeric#}, your complaint was closed. Help: call 1800-891-2995 today."}
`

// messageTo asks for a message to a number that is in no campaign.
func messageTo(i int) api.MessageRequest {
	return api.MessageRequest{
		Key: fmt.Sprintf("complaint-%d", i), Template: "complaint-closed", Route: "main", To: fmt.Sprint(919700000000 + int64(i)),
		Purpose: "grievances", Variables: map[string]string{"name": "Asha"},
	}
}

func (b *bench) addTemplate(source string) {
	b.t.Helper()
	if _, _, err := templates.NewStore(b.app.Pool).Add(b.t.Context(), []byte(source), "test"); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) caller(socket string) *client.Client {
	c := client.New(socket)
	b.t.Cleanup(c.Close)
	return c
}

// What was committed when the process died is known to the next one, which sends it, once.
func TestAMessageWhoseAnswerWasLostIsSentOnce(t *testing.T) {
	t.Parallel()
	c := newCrash(t, 1, smsc.Options{})
	c.addTemplate(closedTemplate)
	first := startChild(t, c.spec)
	calls := c.caller(filepath.Join(c.spec.Home, "pukar.sock"))
	posting := make(chan error, 1)
	go func() {
		_, err := calls.SendMessage(t.Context(), messageTo(1))
		posting <- err
	}()
	c.eventually("the message to be committed", func() bool { return c.count(`SELECT count(*) FROM message`) == 1 })
	first.kill()
	<-posting // answered or cut off: the caller cannot know
	second := startChild(t, c.spec)
	again, err := c.caller(filepath.Join(c.spec.Home, "pukar.sock")).SendMessage(t.Context(), messageTo(1))
	if err != nil || !again.Repeated {
		t.Errorf("posted again: %+v, %v", again, err)
	}
	c.eventually("the message to be tried", func() bool {
		return c.count(`SELECT count(*) FROM run WHERE kind = 'message' AND state IN ('settling', 'done')`) == 1
	})
	if n := len(c.accepted()["919700000001"]); n > 1 {
		t.Errorf("it was submitted %d times", n)
	}
	if n := c.count(`SELECT count(*) FROM run WHERE kind = 'message'`); n != 1 {
		t.Errorf("%d runs of one key", n)
	}
	second.terminate()
}
