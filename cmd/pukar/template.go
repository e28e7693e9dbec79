package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pukar/templates"
	"pukar/web/api"
)

func (sh *shell) templateCommands() *cobra.Command {
	return group("template", "Message templates: check, preview, add, list",
		`A template is a YAML file: one text and one registered id for each language. Checking and previewing a file needs no
server.`,
		sh.templateAdd(), sh.templateCheck(), sh.templatePreview(), sh.templateList())
}

func (sh *shell) templateAdd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "add FILE", Short: "Keep a template; a changed text is a new version",
		Example: "  pukar template add onorc-intro.yaml", Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := sh.readFile(args[0])
			if err != nil {
				return err
			}
			caller := sh.client()
			defer caller.Close()
			added, err := caller.AddTemplate(cmd.Context(), source)
			if err != nil {
				return inFile(args[0], err)
			}
			if asJSON {
				return printJSON(sh.stdout, added)
			}
			say(sh.stdout, "%s is kept as version %d.", added.Name, added.Version)
			warn(sh.stdout, added.Warnings)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) templateCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Check a template file; needs no server",
		Example: "  pukar template check onorc-intro.yaml", Args: takes("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			parsed, err := sh.parseTemplate(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				view, err := viewOf(parsed, "")
				if err != nil {
					return err
				}
				return printJSON(sh.stdout, view)
			}
			say(sh.stdout, "%s is in order: %s.", args[0], strings.Join(parsed.LanguageCodes(), ", "))
			warn(sh.stdout, parsed.Warnings())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) templatePreview() *cobra.Command {
	var contact, page, price, route string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "preview FILE", Short: "Show a template in each language: text, encoding, parts, price",
		Long: `Shows a template file in each language, with sample values or, with --contact, with what is known of one person, which
needs the server. --html writes a page, for terminals that cannot show Devanagari.`,
		Example: `  pukar template preview onorc-intro.yaml --price 0.1450
  pukar template preview onorc-intro.yaml --contact 9812345678 --route main
  pukar template preview onorc-intro.yaml --html preview.html`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			parsed, err := sh.parseTemplate(args[0])
			if err != nil {
				return err
			}
			var view api.TemplatePreview
			if contact == "" && route == "" {
				view, err = viewOf(parsed, price)
			} else {
				source, readErr := sh.readFile(args[0])
				if readErr != nil {
					return readErr
				}
				caller := sh.client()
				defer caller.Close()
				view, err = caller.PreviewTemplate(cmd.Context(), api.TemplatePreviewRequest{
					Source: string(source), MSISDN: contact, Route: route, Price: price,
				})
			}
			if err != nil {
				return err
			}
			if page != "" {
				file := &lateFile{path: page}
				defer file.close()
				if err := templates.PreviewHTML(file, parsed, view.Texts); err != nil {
					return err
				}
				if err := file.keep(); err != nil {
					return tidyPath(err)
				}
			}
			if asJSON {
				return printJSON(sh.stdout, view)
			}
			printPreview(sh.stdout, view)
			if page != "" {
				say(sh.stdout, "\nThe page is %s.", page)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&contact, "contact", "", "fill it with what is known of the person with this number")
	flags.StringVar(&page, "html", "", "also write a page to this file")
	flags.StringVar(&price, "price", "", "price of a part in rupees, as 0.1450")
	flags.StringVar(&route, "route", "", "take the price of this route of the server")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) templateList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the templates", Example: "  pukar template list", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			list, err := caller.Templates(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, list)
			}
			if len(list.Templates) == 0 {
				say(sh.stdout, "No templates: `pukar template add FILE` keeps one.")
				return nil
			}
			rows := make([][]string, len(list.Templates))
			for i, t := range list.Templates {
				rows[i] = []string{t.Name, strconv.Itoa(t.Version), t.Category, t.Header, strings.Join(t.Languages, ", "), t.Actor, t.CreatedAt.String()}
			}
			return printTable(sh.stdout, []column{
				left("name"), right("version"), left("category"), left("header"), left("languages"), left("by"), left("since"),
			}, rows)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) parseTemplate(name string) (*templates.Template, error) {
	source, err := sh.readFile(name)
	if err != nil {
		return nil, err
	}
	parsed, err := templates.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parsed, nil
}

// viewOf shows a template with sample values.
func viewOf(t *templates.Template, price string) (api.TemplatePreview, error) {
	texts, err := t.Preview(nil, price)
	if err != nil {
		return api.TemplatePreview{}, err
	}
	warnings := t.Warnings()
	if warnings == nil {
		warnings = []string{}
	}
	return api.TemplatePreview{Name: t.Name, Header: t.Header, Category: t.Category, Texts: texts, Warnings: warnings}, nil
}

func printPreview(w io.Writer, view api.TemplatePreview) {
	say(w, "%s, from %s, %s", view.Name, view.Header, view.Category)
	if view.Person != "" {
		say(w, "for %s, who would get %s", view.Person, view.Language)
	}
	for _, p := range view.Texts {
		line := fmt.Sprintf("\n%s (%s): %s, %s, %s", p.Language, p.TemplateID, strings.ToUpper(string(p.Encoding)),
			plural(int64(p.Units), "unit", "units"), plural(int64(p.Parts), "part", "parts"))
		if p.MostParts > p.Parts {
			line += fmt.Sprintf(" (up to %d with long values)", p.MostParts)
		}
		if p.CostINR != "" {
			line += ", " + rupees(p.CostINR)
		}
		say(w, "%s", line)
		for text := range strings.Lines(p.Text) {
			say(w, "  %s", strings.TrimRight(text, "\n"))
		}
		if p.Error != "" {
			say(w, "  cannot be sent so: %s", p.Error)
		}
	}
	warn(w, view.Warnings)
}

func warn(w io.Writer, warnings []string) {
	for _, warning := range warnings {
		say(w, "note: %s", warning)
	}
}
