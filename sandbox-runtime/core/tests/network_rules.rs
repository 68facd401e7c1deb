//! Which requests are held at the network, and which one an agreement is to.

use std::sync::Arc;

use sandbox_core::SandboxId;
use sandbox_core::approval::agreed::{Agreed, FORM_MS, SCRIPT_MS, is_what_was_asked};
use sandbox_core::approval::request::Outgoing;
use sandbox_core::approval::rules::Follows;
use sandbox_core::approval::watch::Watch;
use sandbox_core::model::{ActKind, Amount, Proposal, Rule, RuleEffect, ShownField};

fn watch(follows: Follows, rules: &[(&str, Option<ActKind>, RuleEffect)]) -> Watch {
    let rule = |(site, kind, effect): &(&str, Option<ActKind>, RuleEffect)| Rule {
        sandbox_id: None,
        site: (*site).to_owned(),
        kind: *kind,
        effect: *effect,
    };
    Watch {
        rules: Arc::new(rules.iter().map(rule).collect()),
        sandbox: SandboxId::from("sbx_1"),
        follows,
        known: vec!["shop.example".to_owned()],
        has_task: follows != Follows::Program,
    }
}

fn request(method: &str, url: &str, body: &str) -> Outgoing {
    Outgoing {
        method: method.to_owned(),
        url: url.to_owned(),
        page: "https://shop.example/cart".to_owned(),
        content_type: "application/x-www-form-urlencoded".to_owned(),
        body: (!body.is_empty()).then(|| body.as_bytes().to_vec()),
        has_body: !body.is_empty(),
    }
}

#[test]
fn requests_are_held_as_acts_are_asked_about() {
    use ActKind::{Delete, NewDestination, Pay, Submit};
    use Follows::{Model, Playbook, Program};
    use RuleEffect::{Allow, Ask, Hold};
    let pay = request("POST", "https://shop.example/pay", "amount=40");
    let plain = request("POST", "https://shop.example/save", "note=x");
    let delete = request("DELETE", "https://shop.example/items/7", "");
    let check = |watch: Watch, request: &Outgoing, expected: Option<ActKind>| {
        assert_eq!(watch.held_as(request, false), expected, "{watch:?} {request:?}");
    };
    // Without a rule: what a model cannot undo, and nothing of the others.
    check(watch(Model, &[]), &pay, Some(Pay));
    check(watch(Model, &[]), &delete, Some(Delete));
    check(watch(Model, &[]), &plain, None);
    check(watch(Playbook, &[]), &pay, None);
    check(watch(Program, &[]), &pay, None);
    // A person's rules bind whoever it is; to ask is to hold for whoever was not asked before.
    for follows in [Model, Playbook, Program] {
        for effect in [Ask, Hold] {
            check(watch(follows, &[("*", Some(Pay), effect)]), &pay, Some(Pay));
            check(watch(follows, &[("shop.example", None, effect)]), &plain, Some(Submit));
            check(watch(follows, &[("*", Some(Submit), effect)]), &pay, Some(Pay));
            check(watch(follows, &[("other.example", None, effect)]), &plain, None);
        }
        check(watch(follows, &[("*", Some(Pay), Allow)]), &pay, None);
        check(watch(follows, &[("*", None, Ask), ("shop.example", Some(Pay), Allow)]), &pay, None);
    }
    check(watch(Model, &[("*", Some(Submit), Allow)]), &pay, Some(Pay));
    // What only reads goes; where a page leads is asked about.
    let elsewhere = request("GET", "https://other.example/", "");
    for (watch, expected) in [
        (watch(Model, &[]), Some(NewDestination)),
        (watch(Playbook, &[]), None),
        (watch(Program, &[]), None),
        (watch(Program, &[("other.example", Some(NewDestination), Ask)]), Some(NewDestination)),
    ] {
        assert_eq!(watch.held_as(&elsewhere, true), expected, "{watch:?}");
        assert_eq!(watch.held_as(&elsewhere, false), None, "a page's own background request");
    }
    assert!(watch(Model, &[]).may_hold() && !watch(Program, &[]).may_hold());
    assert!(watch(Program, &[("*", Some(Pay), Ask)]).may_hold());
}

fn form() -> Proposal {
    let field = |name: &str, value: &str, masked| ShownField { name: name.to_owned(), value: value.to_owned(), masked };
    Proposal {
        kind: ActKind::Pay,
        summary: "click button \"Pay now\"".to_owned(),
        site: "shop.example".to_owned(),
        method: Some("POST".to_owned()),
        destination: "https://shop.example/pay".to_owned(),
        fields: vec![field("amount", "40.00", false), field("how", "By card", false), field("pin", "•", true)],
        amount: Some(Amount { hundredths: 4_000, currency: "EUR".to_owned() }),
    }
}

#[test]
fn a_form_that_was_agreed_to_is_that_request_with_those_values() {
    let agreed = Agreed::new(form(), vec![("how".to_owned(), "card".to_owned())], 1_000);
    let check = |request: &Outgoing, expected: bool| assert_eq!(agreed.covers(request, 1_500), expected, "{request:?}");
    let sent = |url: &str, body: &str| request("POST", url, body);
    check(&sent("https://shop.example/pay", "amount=40.00&how=card&pin=1234&csrf=x"), true);
    check(&sent("https://shop.example/pay?from=cart", "amount=40.00&how=card&pin=1234"), true);
    check(&sent("https://shop.example/pay", "amount=4000.00&how=card&pin=1234"), false);
    check(&sent("https://shop.example/pay", "amount=40.00&how=wire&pin=1234"), false);
    check(&sent("https://shop.example/transfer", "amount=40.00&how=card"), false);
    check(&sent("https://other.example/pay", "amount=40.00&how=card"), false);
    check(&request("PUT", "https://shop.example/pay", "amount=40.00&how=card"), false);
    let sent = sent("https://shop.example/pay", "amount=40.00");
    assert!(agreed.covers(&sent, 1_000 + FORM_MS) && !agreed.covers(&sent, 1_001 + FORM_MS));
    assert!(agreed.is_exact());
}

#[test]
fn what_the_pages_own_code_sends_is_agreed_to_at_the_sites_that_were_shown() {
    for method in [None, Some("GET".to_owned())] {
        let shown = Proposal { method, destination: "https://shop.example/cart".to_owned(), ..form() };
        let agreed = Agreed::new(shown, vec![], 1_000);
        assert!(!agreed.is_exact());
        let check =
            |request: &Outgoing, expected: bool| assert_eq!(agreed.covers(request, 1_500), expected, "{request:?}");
        let sent = |url: &str, body: &str| request("POST", url, body);
        check(&sent("https://shop.example/api/pay", "total=40"), true);
        check(&sent("https://shop.example/api/orders", "item=7"), true);
        check(&sent("https://shop.example/api/pay", "amount=41.00"), false);
        check(&sent("https://shop.example/api/delete", "item=7"), false);
        check(&sent("https://evil.example/api/pay", "total=40"), false);
        let of_another_page =
            Outgoing { page: "https://evil.example/".to_owned(), ..sent("https://shop.example/api/pay", "") };
        check(&of_another_page, false);
        assert!(!agreed.covers(&sent("https://shop.example/api/pay", "total=40"), 1_001 + SCRIPT_MS));
    }
}

#[test]
fn a_person_does_what_was_asked_whatever_they_fill_in() {
    let by_form = request("POST", "https://shop.example/pay", "amount=50.00");
    assert!(is_what_was_asked(&form(), &by_form));
    assert!(!is_what_was_asked(&form(), &request("POST", "https://shop.example/save", "amount=40.00")));
    assert!(!is_what_was_asked(&form(), &request("GET", "https://shop.example/pay", "")));
    let by_script = Proposal { method: None, destination: "https://shop.example/cart".to_owned(), ..form() };
    assert!(is_what_was_asked(&by_script, &request("POST", "https://shop.example/api/pay", "x=1")));
    assert!(!is_what_was_asked(&by_script, &request("POST", "https://shop.example/api/save", "x=1")));
    let link = Proposal {
        kind: ActKind::Delete,
        method: Some("GET".to_owned()),
        destination: "https://shop.example/delete?id=7".to_owned(),
        ..form()
    };
    assert!(is_what_was_asked(&link, &request("GET", "https://shop.example/delete?id=7", "")));
    assert!(!is_what_was_asked(&link, &request("GET", "https://shop.example/list", "")));
}
