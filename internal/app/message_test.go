package app

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pukar/internal/testenv"
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

// wantSoon waits until the centre has a message and says when it got it.
func (b *bench) wantSoon(i int, posted time.Time) {
	b.t.Helper()
	number := fmt.Sprint(919700000000 + i)
	b.eventually("the message to be on the wire", func() bool { return len(b.accepted()[number]) > 0 })
	submits := b.accepted()[number]
	if took := submits[0].at.Sub(posted); took > 2*time.Second {
		b.t.Errorf("message %d was on the wire after %v", i, took)
	}
	if len(submits) != 1 {
		b.t.Errorf("message %d was submitted %d times", i, len(submits))
	}
}

// A bulk run has the route to itself, at full rate, when the messages come.
func TestAMessageIsOnTheWireWithinTwoSecondsOfABulkRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	const people = 40_000
	b.people(people)
	b.addTemplate(closedTemplate)
	b.launch("bulk")
	b.submitted(1000)
	calls := b.caller(b.app.Socket)
	redis := testenv.Redis(t)
	for i := range 8 {
		posted := time.Now()
		if _, err := calls.SendMessage(t.Context(), messageTo(i)); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			if err := redis.FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		b.wantSoon(i, posted)
	}
	if status := b.status("bulk"); status.Totals.Pending == 0 {
		t.Error("the bulk run was over before the messages were: nothing was shown")
	}
	b.eventually("every message to be delivered", func() bool {
		m, err := calls.Message(t.Context(), "complaint-7")
		return err == nil && m.State == "delivered" && m.RunState == "done" && m.SubmittedAt != nil && m.AcceptedAt != nil && m.FinalAt != nil
	})
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
