package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"pukar/web/api"
	"pukar/web/client"
)

func launched(t *testing.T) bundle {
	t.Helper()
	s := setup(t)
	importPeople(t, s)
	if _, err := s.AddTemplate(t.Context(), []byte(introTemplate)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateCampaign(t.Context(), []byte(introCampaign)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Launch(t.Context(), "onorc-bihar", api.LaunchRequest{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDeliveryReportWithItsManifest(t *testing.T) {
	t.Parallel()
	s := launched(t)
	var file bytes.Buffer
	manifest, err := s.DeliveryReport(t.Context(), "onorc-bihar", client.ReportOptions{IncludeExcluded: true}, &file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file.Bytes())
	if manifest.SHA256 != hex.EncodeToString(sum[:]) || manifest.Recipients != 1 || manifest.Rows != 2 || manifest.Targeted != 2 {
		t.Errorf("manifest %+v", manifest)
	}
	if !strings.Contains(file.String(), "919812345601") {
		t.Errorf("the administrator's report lacks the number:\n%s", &file)
	}
	file.Reset()
	if _, err = s.DeliveryReport(t.Context(), "onorc-bihar", client.ReportOptions{Masked: true}, &file); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(file.String(), "919812345601") {
		t.Errorf("a masked report shows the number:\n%s", &file)
	}
	summary, err := s.Summary(t.Context(), "onorc-bihar", 1)
	if err != nil || summary.Recipients != 1 || summary.Totals["pending"] != 1 {
		t.Errorf("summary %+v, %v", summary, err)
	}
}

func TestReportOfNothing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	_, err := s.DeliveryReport(t.Context(), "none", client.ReportOptions{}, &bytes.Buffer{})
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)
	_, err = s.Summary(t.Context(), "none", 0)
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)
}

func TestAsciiOnlyKeepsJSON(t *testing.T) {
	t.Parallel()
	want := "पुकार 📞 \"x\"\n"
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal([]byte(asciiOnly(text)), &got); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOptOutImport(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var rejects bytes.Buffer
	result, err := s.ImportOptOuts(t.Context(), strings.NewReader("msisdn\n9812345601\n12\n9812345602\n"), "stopped.csv", "", "", &rejects)
	if err != nil || result.Read != 3 || result.Inserted != 2 || result.Refused != 1 || rejects.Len() == 0 {
		t.Errorf("%+v, %v, rejects %q", result, err, &rejects)
	}
	check, err := s.CheckOptOut(t.Context(), "9812345602")
	if err != nil || !check.Suppressed {
		t.Errorf("%+v, %v", check, err)
	}
}

func TestTemplatePreviewForAPerson(t *testing.T) {
	t.Parallel()
	s := setup(t)
	importPeople(t, s)
	view, err := s.PreviewTemplate(t.Context(), api.TemplatePreviewRequest{Source: introTemplate, MSISDN: "9812345601", Route: "main"})
	if err != nil {
		t.Fatal(err)
	}
	if view.Language != "en" || len(view.Texts) != 1 || !strings.HasPrefix(view.Texts[0].Text, "Dear Asha Devi,") || view.Texts[0].CostINR != "0.1450" {
		t.Errorf("%+v", view)
	}
	_, err = s.PreviewTemplate(t.Context(), api.TemplatePreviewRequest{Source: introTemplate, MSISDN: "9812345699"})
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)
	_, err = s.PreviewTemplate(t.Context(), api.TemplatePreviewRequest{})
	problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
}
