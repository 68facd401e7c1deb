//! Questions, rules, the ledger, and what is judged to be past undoing.

use proptest::prelude::*;
use sandbox_core::approval::judge::{Foreseen, amount_in, by_foresight, by_words, propose, shown};
use sandbox_core::approval::ledger::{NotCovered, ScopeError, covers, grant, revoke, spend};
use sandbox_core::approval::request::{self, Outgoing};
use sandbox_core::approval::rules::{self, Follows, effect, is_known, sites_in};
use sandbox_core::approval::{Step, apply, hash, is_whole, twin};
use sandbox_core::model::{
    ActKind, Actor, Amount, Approval, ApprovalStatus, GrantScope, Proposal, Rule, RuleEffect, ShownField,
};
use sandbox_core::{ApprovalId, SandboxId, TaskId};

fn field(name: &str, value: &str) -> ShownField {
    ShownField { name: name.to_owned(), value: value.to_owned(), masked: false }
}

fn euros(hundredths: i64) -> Amount {
    Amount { hundredths, currency: "EUR".to_owned() }
}

fn payment() -> Proposal {
    Proposal {
        kind: ActKind::Pay,
        summary: "click button \"Pay\"".to_owned(),
        site: "shop.example".to_owned(),
        method: Some("POST".to_owned()),
        destination: "https://shop.example/pay".to_owned(),
        fields: vec![field("amount", "40.00"), field("to", "Ada")],
        amount: Some(euros(4_000)),
    }
}

fn asked(proposal: Proposal) -> Approval {
    Approval {
        approval_id: ApprovalId::from("apr_1"),
        sandbox_id: SandboxId::from("sbx_1"),
        task_id: Some(TaskId::from("task_1")),
        status: ApprovalStatus::Pending,
        hash: hash(&proposal),
        proposal,
        held: false,
        note: None,
        reason: None,
        decided_by: None,
        grant_id: None,
        requested_at: 1,
        decided_at: None,
        updated_at: 1,
    }
}

fn approve() -> Step {
    Step::Approve { by: Actor::Person, note: None, grant: None }
}

fn deny() -> Step {
    Step::Deny { by: Actor::Person, note: Some("no".to_owned()) }
}

fn void() -> Step {
    Step::Void { why: "gone".to_owned() }
}

fn supersede() -> Step {
    Step::Supersede { by: ApprovalId::from("apr_2") }
}

#[test]
fn a_question_is_answered_once() {
    for (step, becomes) in [
        (approve(), ApprovalStatus::Approved),
        (deny(), ApprovalStatus::Denied),
        (void(), ApprovalStatus::Void),
        (supersede(), ApprovalStatus::Superseded),
    ] {
        let mut approval = asked(payment());
        apply(&mut approval, step, 9).unwrap();
        assert_eq!((approval.status, approval.decided_at), (becomes, Some(9)));
        for again in [approve(), deny(), supersede()] {
            let before = approval.clone();
            assert_eq!(apply(&mut approval, again, 10), Err(becomes));
            assert_eq!(approval, before, "a refused step changes nothing");
        }
    }
}

#[test]
fn what_was_approved_and_is_gone_becomes_void_and_what_was_denied_stays_denied() {
    let mut approval = asked(payment());
    apply(&mut approval, approve(), 2).unwrap();
    apply(&mut approval, void(), 3).unwrap();
    assert_eq!(approval.status, ApprovalStatus::Void);
    let mut approval = asked(payment());
    apply(&mut approval, deny(), 2).unwrap();
    assert_eq!(apply(&mut approval, void(), 3), Err(ApprovalStatus::Denied));
}

proptest! {
    #[test]
    fn no_order_of_steps_leads_from_a_denial_to_an_approval(steps in prop::collection::vec(0..4_u8, 0..12)) {
        let mut approval = asked(payment());
        let mut was_denied = false;
        for (at, step) in steps.into_iter().enumerate() {
            let step = [approve(), deny(), void(), supersede()][usize::from(step)].clone();
            let _ = apply(&mut approval, step, at as i64);
            was_denied |= approval.status == ApprovalStatus::Denied;
            prop_assert!(!was_denied || approval.status == ApprovalStatus::Denied);
            prop_assert_eq!(approval.status.is_pending(), approval.decided_at.is_none());
        }
    }

    #[test]
    fn a_hash_is_of_every_shown_part(a in shown_proposals(), b in shown_proposals()) {
        prop_assert_eq!(a == b, hash(&a) == hash(&b));
    }

    #[test]
    fn a_ledger_never_covers_more_than_its_limits(
        max_uses in prop::option::of(1..5_u64),
        limit in prop::option::of(1..10_000_i64),
        tries in prop::collection::vec((0..6_000_i64, 0..50_i64), 0..40),
    ) {
        let mut first = payment();
        first.amount = Some(euros(0));
        let scope = GrantScope { uses: max_uses, amount: limit.map(euros), expires_in_ms: Some(1_000) };
        let mut given = grant(&asked(first), "grt_1".into(), &scope, 0).unwrap();
        let (mut now, mut uses, mut spent) = (0, 0, 0);
        for (hundredths, later) in tries {
            now += later;
            let next = Proposal { amount: Some(euros(hundredths)), ..payment() };
            if covers(&given, &"task_1".into(), &next, now).is_ok() {
                spend(&mut given, &next, now);
                uses += 1;
                spent += hundredths;
            }
        }
        prop_assert!(max_uses.is_none_or(|most| uses <= most));
        prop_assert!(limit.is_none_or(|most| spent <= most));
        prop_assert!(given.used_at.is_none_or(|at| at < 1_000));
        revoke(&mut given, now);
        prop_assert!(covers(&given, &"task_1".into(), &payment(), now).is_err());
    }

    #[test]
    fn any_body_is_said_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200), kind in 0..4_usize) {
        let types = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=ab", "application/json", ""];
        let request = Outgoing {
            method: "POST".to_owned(), url: "https://a.example/".to_owned(), content_type: types[kind].to_owned(),
            body: Some(body), has_body: true, ..Outgoing::default()
        };
        let said = request::propose(request::kind(&request), &request);
        prop_assert!(said.fields.len() <= 61);
    }
}

prop_compose! {
    fn shown_proposals()(
        kind in prop::sample::select(vec![ActKind::Pay, ActKind::Send]),
        summary in "[ab]{0,2}", site in "[ab]{0,2}", method in prop::option::of("[ab]{0,1}"),
        destination in "[ab]{0,2}",
        fields in prop::collection::vec(("[ab]{0,2}", "[ab]{0,2}", any::<bool>()), 0..3),
        amount in prop::option::of(0..3_i64),
    ) -> Proposal {
        let fields = fields.into_iter().map(|(name, value, masked)| ShownField { name, value, masked }).collect();
        Proposal { kind, summary, site, method, destination, fields, amount: amount.map(euros) }
    }
}

#[test]
fn a_record_that_was_tampered_with_is_not_whole() {
    let mut approval = asked(payment());
    assert!(is_whole(&approval));
    approval.proposal.destination = "https://evil.example/pay".to_owned();
    assert!(!is_whole(&approval));
}

#[test]
fn identical_questions_of_one_task_are_one() {
    let approval = asked(payment());
    let all = [approval.clone()];
    let same = twin(all.iter(), Some(&"task_1".into()), &approval.hash, false);
    assert_eq!(same, Some(&approval));
    assert_eq!(twin(all.iter(), Some(&"task_2".into()), &approval.hash, false), None);
    assert_eq!(twin(all.iter(), Some(&"task_1".into()), &approval.hash, true), None, "a held one is another thing");
    let mut other = payment();
    other.fields[0].value = "41.00".to_owned();
    assert_eq!(twin(all.iter(), Some(&"task_1".into()), &hash(&other), false), None);
    let mut over = approval;
    apply(&mut over, deny(), 2).unwrap();
    assert_eq!(twin([over.clone()].iter(), Some(&"task_1".into()), &over.hash, false), None);
}

#[test]
fn a_permission_is_for_one_task_one_site_one_kind() {
    let task: TaskId = "task_1".into();
    let mut given = grant(&asked(payment()), "grt_1".into(), &GrantScope::default(), 0).unwrap();
    assert_eq!(given.site, "shop.example");
    let check = |given: &_, task: &TaskId, proposal: Proposal, expected| {
        assert_eq!(covers(given, task, &proposal, 5), expected, "{proposal:?}");
    };
    check(
        &given,
        &task,
        Proposal { summary: "click link \"Pay again\"".to_owned(), fields: vec![], ..payment() },
        Ok(()),
    );
    check(&given, &"task_2".into(), payment(), Err(NotCovered::OtherTask));
    check(&given, &task, Proposal { kind: ActKind::Delete, ..payment() }, Err(NotCovered::OtherKind));
    for elsewhere in ["https://evil.example/pay", "https://shop.example.evil.example/", "https://shop.example:8443/pay"]
    {
        check(&given, &task, Proposal { destination: elsewhere.to_owned(), ..payment() }, Err(NotCovered::OtherSite));
    }
    revoke(&mut given, 3);
    check(&given, &task, payment(), Err(NotCovered::Revoked));
    revoke(&mut given, 4);
    assert_eq!(given.revoked_at, Some(3));
}

#[test]
fn a_permission_ends_by_time_by_uses_and_by_amount() {
    let task: TaskId = "task_1".into();
    let given = |scope| grant(&asked(payment()), "grt_1".into(), &scope, 100).unwrap();
    let timed = given(GrantScope { expires_in_ms: Some(50), ..GrantScope::default() });
    assert_eq!(covers(&timed, &task, &payment(), 149), Ok(()));
    assert_eq!(covers(&timed, &task, &payment(), 150), Err(NotCovered::Expired));
    let mut counted = given(GrantScope { uses: Some(1), ..GrantScope::default() });
    spend(&mut counted, &payment(), 101);
    assert_eq!(covers(&counted, &task, &payment(), 102), Err(NotCovered::UsedUp));
    // The payment that was approved with it counts: 40 of 100 are spent.
    let mut limited = given(GrantScope { amount: Some(euros(10_000)), ..GrantScope::default() });
    assert_eq!(covers(&limited, &task, &payment(), 102), Ok(()));
    spend(&mut limited, &payment(), 102);
    assert_eq!(covers(&limited, &task, &payment(), 103), Err(NotCovered::OverAmount));
    assert_eq!(covers(&limited, &task, &Proposal { amount: None, ..payment() }, 103), Err(NotCovered::NoAmount));
    let dollars = Amount { currency: "USD".to_owned(), ..euros(1) };
    let in_dollars = Proposal { amount: Some(dollars), ..payment() };
    assert_eq!(covers(&limited, &task, &in_dollars, 103), Err(NotCovered::NoAmount));
}

#[test]
fn a_scope_that_gives_nothing_is_refused() {
    let try_scope = |scope| grant(&asked(payment()), "grt_1".into(), &scope, 0).unwrap_err();
    assert_eq!(try_scope(GrantScope { uses: Some(0), ..GrantScope::default() }), ScopeError::Nothing("uses"));
    assert_eq!(
        try_scope(GrantScope { expires_in_ms: Some(0), ..GrantScope::default() }),
        ScopeError::Nothing("expiresInMs")
    );
    assert_eq!(
        try_scope(GrantScope { amount: Some(euros(0)), ..GrantScope::default() }),
        ScopeError::Nothing("amount")
    );
    let taskless = Approval { task_id: None, ..asked(payment()) };
    assert_eq!(grant(&taskless, "grt_1".into(), &GrantScope::default(), 0), Err(ScopeError::NoTask));
}

#[test]
fn buttons_that_cannot_be_undone_are_known_in_four_languages() {
    let check = |words: &str, expected| assert_eq!(by_words(words), expected, "{words:?}");
    for pay in [
        "Pay now",
        "Buy it",
        "Place your order",
        "Jetzt kaufen",
        "Zahlungspflichtig bestellen",
        "Überweisung ausführen",
        "Payer 12,00 €",
        "Faire un don",
        "Pagar ahora",
        "Realizar pedido",
    ] {
        check(pay, Some(ActKind::Pay));
    }
    for delete in [
        "Delete account",
        "REMOVE",
        "Konto löschen",
        "Vertrag kündigen",
        "Supprimer",
        "Résilier",
        "Eliminar",
        "Dar de baja",
    ] {
        check(delete, Some(ActKind::Delete));
    }
    for publish in ["Publish", "Post", "Veröffentlichen", "Publier l’annonce", "Publicar"] {
        check(publish, Some(ActKind::Publish));
    }
    for send in ["Send", "Reply all", "Absenden", "Antworten", "Envoyer", "Enviar mensaje"] {
        check(send, Some(ActKind::Send));
    }
    for plain in ["", "Next", "Search", "Payroll", "Sender", "Weiter", "Suivant", "Buscar", "Show details"] {
        check(plain, None);
    }
}

#[test]
fn an_element_is_judged_by_what_it_would_do() {
    let check = |seen: Foreseen, expected| assert_eq!(by_foresight(&seen), expected, "{seen:?}");
    let form = |words: &str, method: &str, names: &[&str]| Foreseen {
        words: words.to_owned(),
        submits: true,
        method: Some(method.to_owned()),
        fields: names.iter().map(|name| field(name, "x")).collect(),
        ..Foreseen::default()
    };
    check(form("Continue", "POST", &["card-number", "cvv"]), Some(ActKind::Pay));
    check(form("Continue", "POST", &["note"]), Some(ActKind::Submit));
    check(form("Search", "GET", &["q"]), None);
    check(form("Send", "GET", &["q"]), Some(ActKind::Send));
    check(Foreseen { words: "Show more".to_owned(), ..Foreseen::default() }, None);
    let link = |words: &str| Foreseen { words: words.to_owned(), is_link: true, ..Foreseen::default() };
    check(link("Delete"), Some(ActKind::Delete));
    check(link("How to delete a branch that somebody pushed"), None);
    check(link("Next post"), None);
}

#[test]
fn amounts_are_read_as_people_write_them() {
    let check = |text: &str, expected: Option<(i64, &str)>| {
        let found = amount_in(text);
        assert_eq!(found.as_ref().map(|amount| (amount.hundredths, amount.currency.as_str())), expected, "{text:?}");
    };
    check("Pay € 1.234,50", Some((123_450, "EUR")));
    check("Pay $1,234.50 now", Some((123_450, "USD")));
    check("12,5 €", Some((1_250, "EUR")));
    check("Total: 1'200 CHF", Some((120_000, "CHF")));
    check("USD 7", Some((700, "USD")));
    check("Pay now", None);
    check("€", None);
    check("$99999999999999999999", None);
}

#[test]
fn secrets_are_shown_as_dots_and_long_values_short() {
    let check = |name: &str, masked: bool| assert_eq!(shown(name, "hunter2", false).masked, masked, "{name}");
    for secret in
        ["password", "new_Password", "user[password]", "login.passwort", "cvv", "cc-number", "pin", "csrf_token"]
    {
        check(secret, true);
    }
    for open in ["name", "shipping", "passenger", "spinner", "note"] {
        check(open, false);
    }
    assert_eq!(shown("note", &"x".repeat(300), false).value, format!("{}… (300 characters)", "x".repeat(200)));
    assert!(!shown("anything", "hunter2", true).value.contains("hunter2"));
}

fn sent(content_type: &str, body: &str) -> Vec<(String, String)> {
    let request = Outgoing {
        method: "post".to_owned(),
        url: "https://user:pw@shop.example/pay?ref=7".to_owned(),
        page: "https://shop.example/cart".to_owned(),
        content_type: content_type.to_owned(),
        body: Some(body.as_bytes().to_vec()),
        has_body: true,
    };
    let said = request::propose(request::kind(&request), &request);
    assert_eq!(said.destination, "https://shop.example/pay", "neither user info nor query");
    assert_eq!(said.method.as_deref(), Some("POST"));
    said.fields.into_iter().map(|field| (field.name, field.value)).collect()
}

#[test]
fn a_request_is_said_in_plain_words_whatever_its_encoding() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = vec![pair("ref", "7"), pair("to", "Ada & Bob"), pair("password", "••••••")];
    assert_eq!(sent("application/x-www-form-urlencoded", "to=Ada+%26+Bob&password=hunter2"), expected);
    assert_eq!(sent("application/json; charset=utf-8", r#"{"to":"Ada & Bob","password":"hunter2"}"#), expected);
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\nAda & Bob\r\n--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b--\r\n";
    assert_eq!(sent("multipart/form-data; boundary=b", multipart), expected);
    let file = "--b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--b--\r\n";
    assert_eq!(sent("multipart/form-data; boundary=b", file)[1], pair("cv", "the file \"cv.pdf\", 4 bytes"));
    assert_eq!(sent("text/plain", "hello")[1], pair("body", "hello"));
    assert_eq!(
        sent("application/json", r#"{"items":[{"id":1,"gift":true}]}"#)[1..],
        [pair("items.1.id", "1"), pair("items.1.gift", "true")]
    );
}

#[test]
fn a_request_is_judged_by_its_address_and_fields() {
    let check = |method: &str, url: &str, body: &str, expected| {
        let request = Outgoing {
            method: method.to_owned(),
            url: url.to_owned(),
            content_type: "application/x-www-form-urlencoded".to_owned(),
            body: Some(body.as_bytes().to_vec()),
            has_body: true,
            ..Outgoing::default()
        };
        assert_eq!(request::kind(&request), expected, "{method} {url} {body}");
    };
    check("POST", "https://a.example/x", "card_number=4111", ActKind::Pay);
    check("POST", "https://a.example/posts/7/delete", "", ActKind::Delete);
    check("DELETE", "https://a.example/7", "", ActKind::Delete);
    check("POST", "https://a.example/messages/send", "", ActKind::Send);
    check("PUT", "https://a.example/7", "name=x", ActKind::Submit);
}

fn rule(sandbox: Option<&str>, site: &str, kind: Option<ActKind>, effect: RuleEffect) -> Rule {
    Rule { sandbox_id: sandbox.map(SandboxId::from), site: site.to_owned(), kind, effect }
}

#[test]
fn the_more_specific_rule_counts_and_of_equals_the_stricter() {
    let sandbox = SandboxId::from("sbx_1");
    let check = |rules: &[Rule], expected| {
        let found = effect(rules, &sandbox, &["https://pay.shop.example/x"], ActKind::Pay, Follows::Playbook);
        assert_eq!(found, expected, "{rules:?}");
    };
    check(&[], RuleEffect::Allow);
    check(&[rule(None, "*", None, RuleEffect::Hold)], RuleEffect::Hold);
    check(&[rule(None, "*", Some(ActKind::Delete), RuleEffect::Hold)], RuleEffect::Allow);
    check(&[rule(Some("sbx_2"), "*", None, RuleEffect::Hold)], RuleEffect::Allow);
    check(&[rule(None, "shop.example", None, RuleEffect::Hold)], RuleEffect::Allow);
    check(
        &[rule(None, "*", None, RuleEffect::Hold), rule(None, "*.shop.example", None, RuleEffect::Allow)],
        RuleEffect::Allow,
    );
    check(
        &[rule(None, "pay.shop.example", None, RuleEffect::Hold), rule(Some("sbx_1"), "*", None, RuleEffect::Ask)],
        RuleEffect::Ask,
    );
    check(
        &[rule(None, "*", None, RuleEffect::Allow), rule(None, "*", Some(ActKind::Pay), RuleEffect::Ask)],
        RuleEffect::Ask,
    );
    check(&[rule(None, "*", None, RuleEffect::Ask), rule(None, "*", None, RuleEffect::Hold)], RuleEffect::Hold);
}

#[test]
fn without_rules_only_who_follows_a_model_is_asked() {
    let sandbox = SandboxId::from("sbx_1");
    for kind in [ActKind::Pay, ActKind::Send, ActKind::Delete, ActKind::Publish, ActKind::NewDestination] {
        let of = |follows| effect(&[], &sandbox, &["https://a.example/"], kind, follows);
        assert_eq!(
            [of(Follows::Model), of(Follows::Playbook), of(Follows::Program)],
            [RuleEffect::Ask, RuleEffect::Allow, RuleEffect::Allow]
        );
    }
    let submit = effect(&[], &sandbox, &["https://a.example/"], ActKind::Submit, Follows::Model);
    assert_eq!(submit, RuleEffect::Allow);
    assert!(rules::may_ask(&[], &sandbox, Follows::Model) && !rules::may_ask(&[], &sandbox, Follows::Playbook));
}

#[test]
fn a_rule_that_names_no_site_is_refused_with_its_number() {
    let error = rules::check(&[
        rule(None, "*", None, RuleEffect::Ask),
        rule(None, "https://a.example/x", None, RuleEffect::Ask),
    ]);
    assert!(error.unwrap_err().to_string().starts_with("rule 2: "));
    assert!(rules::check(&vec![rule(None, "*", None, RuleEffect::Ask); 201]).is_err());
}

#[test]
fn the_sites_that_a_text_names_are_known_and_no_others() {
    let text =
        "Open https://portal.example:8443/invoices?x=1, then (shop.example) and write report.pdf. See docs.example.";
    let sites = sites_in(text);
    assert_eq!(sites, ["docs.example", "portal.example:8443", "shop.example"]);
    let check = |address: &str, known: bool| assert_eq!(is_known(address, &sites), known, "{address}");
    check("https://shop.example/cart", true);
    check("https://pay.shop.example/", true);
    check("https://portal.example:8443/", true);
    check("https://portal.example/", false);
    check("https://evilshop.example/", false);
    check("https://shop.example.evil.example/", false);
    check("about:blank", true);
    check("data:text/html,x", true);
}

#[test]
fn a_proposal_names_the_true_destination_and_the_amount() {
    let seen = Foreseen {
        words: "Pay € 40.00".to_owned(),
        submits: true,
        method: Some("POST".to_owned()),
        destination: Some("https://bank.example/transfer".to_owned()),
        page: "https://shop.example/cart".to_owned(),
        fields: vec![field("to", "Ada"), field("cvv", "123")],
        ..Foreseen::default()
    };
    let proposal = propose(ActKind::Pay, "click button \"Pay\"".to_owned(), &seen);
    assert_eq!(
        (proposal.site.as_str(), proposal.destination.as_str()),
        ("shop.example", "https://bank.example/transfer")
    );
    assert_eq!(proposal.amount, Some(euros(4_000)));
    assert_eq!(proposal.fields[1].value, "••••••");
}

#[test]
fn a_request_that_is_sent_on_stays_approved_within_its_site() {
    let approved = Outgoing {
        method: "POST".to_owned(),
        url: "https://shop.example/pay".to_owned(),
        page: "https://shop.example/".to_owned(),
        content_type: "text/plain".to_owned(),
        body: Some(b"to=Ada".to_vec()),
        has_body: true,
    };
    let to = |url: &str| Outgoing { url: url.to_owned(), ..approved.clone() };
    let check =
        |next: Outgoing, expected: bool| assert_eq!(request::is_sent_on(&approved, &next), expected, "{next:?}");
    check(to("https://shop.example/pay/now?step=2"), true);
    check(to("http://shop.example/pay"), false);
    check(to("https://pay.shop.example/pay"), false);
    check(to("https://shop.example:8443/pay"), false);
    check(to("about:blank"), false);
    check(Outgoing { method: "PUT".to_owned(), ..approved.clone() }, false);
    check(Outgoing { body: Some(b"to=Eve".to_vec()), ..approved.clone() }, false);
    check(Outgoing { body: None, has_body: false, ..approved.clone() }, false);
}
