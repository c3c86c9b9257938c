//! The description as a page, rendered from the document itself: no script, nothing from elsewhere.

use app::{
    icon::Logo,
    text::{ApiTexts, Lang},
    theme::Theme,
};
use leptos::prelude::*;
use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

/// The whole page. The description is in English, the words around it in the visitor's language.
pub(super) fn shown(
    document: OpenApi,
    lang: Lang,
    theme: Theme,
    stylesheet: String,
) -> impl IntoView {
    let texts = lang.api_texts();
    let document = serde_json::to_value(&document).unwrap_or_default();
    let about = text(&document, "/info/description");
    let groups = list(&document, "/tags").iter().map(|tag| group(&document, tag, texts));
    let groups = groups.collect_view();
    let forms = object(&document, "/components/schemas").map(forms).collect_view();
    view! {
        <!DOCTYPE html>
        <html lang=lang.tag() data-theme=theme.forced()>
            <head>
                <meta charset="utf-8" />
                <meta
                    name="viewport"
                    content="width=device-width, initial-scale=1, viewport-fit=cover"
                />
                <title>{format!("{} · Carrete", texts.api)}</title>
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=stylesheet />
                <link rel="stylesheet" href="/api.css" />
            </head>
            <body>
                <main class="api">
                    <header>
                        <a href="/" aria-label="Carrete">
                            <Logo />
                        </a>
                        <h1>{texts.api}</h1>
                        <a href="/api/openapi.json">"openapi.json"</a>
                    </header>
                    <p class="about" lang="en">
                        {about}
                    </p>
                    <div lang="en">{groups}</div>
                    <section>
                        <h2>{texts.forms}</h2>
                        <div lang="en">{forms}</div>
                    </section>
                </main>
            </body>
        </html>
    }
}

fn group(document: &Value, tag: &Value, texts: &'static ApiTexts) -> impl IntoView + use<> {
    let name = text(tag, "/name");
    let of_group = object(document, "/paths").flat_map(|(path, item)| {
        let operations = item.as_object().into_iter().flatten();
        operations.map(move |(method, operation)| (path, method, operation))
    });
    let of_group = of_group.filter(|(_, _, operation)| {
        list(operation, "/tags").first().and_then(Value::as_str) == Some(&name)
    });
    let addresses: Vec<_> =
        of_group.map(|(path, method, operation)| address(path, method, operation, texts)).collect();
    view! {
        <section>
            <h2>{name}</h2>
            <p>{text(tag, "/description")}</p>
            {addresses}
        </section>
    }
}

fn address(
    path: &str,
    method: &str,
    operation: &Value,
    texts: &'static ApiTexts,
) -> impl IntoView + use<> {
    let parameters = list(operation, "/parameters").iter().map(|parameter| {
        let required = parameter["required"] == true;
        let place = format!("{}{}", text(parameter, "/in"), if required { " *" } else { "" });
        row(text(parameter, "/name"), place, text(parameter, "/description"))
    });
    let body = object(operation, "/requestBody/content").map(|(media_type, content)| {
        row(texts.body.into(), media_type.clone(), form_of(&content["schema"]))
    });
    let takes: Vec<_> = parameters.chain(body).collect();
    let answers = object(operation, "/responses").map(|(status, answer)| {
        let contents = object(answer, "/content");
        let form = contents.map(|(media_type, content)| match form_of(&content["schema"]) {
            form if media_type == "application/json" && form != "string" => form,
            _ => media_type.clone(),
        });
        row(status.clone(), form.collect(), text(answer, "/description"))
    });
    let answers = answers.collect_view();
    let more = text(operation, "/description");
    view! {
        <article>
            <h3>
                <b>{method.to_uppercase()}</b>
                " "
                <code>{path.to_owned()}</code>
            </h3>
            <p>{text(operation, "/summary")}</p>
            {(!more.is_empty()).then(|| view! { <p class="more">{more}</p> })}
            {(!takes.is_empty()).then(|| table(Some((texts.tag, texts.takes)), takes))}
            {table(Some((texts.tag, texts.answers)), answers)}
        </article>
    }
}

fn forms((name, schema): (&String, &Value)) -> impl IntoView + use<> {
    let members = object(schema, "/properties")
        .map(|(name, form)| row(name.clone(), form_of(form), text(form, "/description")));
    let mut members: Vec<_> = members.collect();
    let words: Vec<_> = list(schema, "/enum").iter().filter_map(Value::as_str).collect();
    if !words.is_empty() {
        members.push(row(words.join(", "), form_of(schema), String::new()));
    }
    view! {
        <article>
            <h3 id=format!("form-{name}")>
                <code>{name.clone()}</code>
            </h3>
            <p>{text(schema, "/description")}</p>
            {table(None, members)}
        </article>
    }
}

/// A table of name, what it is, and what it says, below a caption in its language.
fn table(caption: Option<(&'static str, &'static str)>, rows: impl IntoView) -> impl IntoView {
    let caption = caption.map(|(lang, caption)| view! { <caption lang=lang>{caption}</caption> });
    view! {
        <table>
            {caption} <tbody>{rows}</tbody>
        </table>
    }
}

fn row(name: String, what: String, says: String) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">
                <code>{name}</code>
            </th>
            <td>{what}</td>
            <td>{says}</td>
        </tr>
    }
}

/// A form in a word: `string`, `Media`, `array of Media`, `number or null`.
fn form_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(one_of) = schema["oneOf"].as_array() {
        return one_of.iter().map(form_of).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("array of {}", form_of(&schema["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    }
}

fn text(value: &Value, at: &str) -> String {
    // Words of programs stand in backticks, which Markdown knows and HTML does not.
    value.pointer(at).and_then(Value::as_str).unwrap_or_default().replace('`', "")
}

fn list<'a>(value: &'a Value, at: &str) -> &'a [Value] {
    value.pointer(at).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn object<'a>(
    value: &'a Value,
    at: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    value.pointer(at).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use app::{text::Lang, theme::Theme};
    use leptos::prelude::*;

    use super::shown;

    #[test]
    fn the_page_tells_everything_and_asks_nobody() {
        let document = crate::http::openapi::document();
        let paths: Vec<String> = document.paths.paths.keys().cloned().collect();
        for (lang, heading) in [(Lang::En, "Answers"), (Lang::Es, "Respuestas")] {
            let document = document.clone();
            let html = Owner::new()
                .with(|| shown(document, lang, Theme::default(), "/pkg/x.css".into()).to_html());
            for path in &paths {
                assert!(html.contains(&format!("<code>{path}</code>")), "{path}");
            }
            assert!(html.contains("form-Media") && html.contains("array of Media"));
            assert!(html.contains(heading) && html.contains(lang.tag()));
            assert!(!html.contains("<script") && !html.contains("://"), "{html}");
        }
    }
}
