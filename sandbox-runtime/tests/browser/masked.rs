//! What a person typed stays hidden until its document is gone, wherever the page repeats it.

use sandbox_runtime::browser::Look;
use serde_json::json;

use crate::both;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_typed_is_in_no_tree_text_extract_or_picture_wherever_the_page_repeats_it() {
    const SECRET: &str = "Canary48211190";
    let (mut rig, site) = both().await;
    rig.open(&site.url("/echo")).await;
    let takeover = rig.browser.before_takeover().await;
    rig.give_to_person();
    rig.person.click("#secret").await;
    rig.person.type_text(SECRET).await;
    assert_eq!(
        rig.person.run("copy.value + echo.textContent").await,
        format!("{SECRET}You wrote {}", SECRET.to_uppercase())
    );
    let receipt = rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();
    let mut told = vec![serde_json::to_string(&receipt).unwrap()];
    for _ in 0..2 {
        let seen = rig.browser.observe(&Look::default()).await.unwrap();
        assert!(seen.tree.contains("textbox \"Secret\"") && seen.tree.contains("••••"), "{}", seen.tree);
        told.push(serde_json::to_string(&seen).unwrap() + &seen.words());
    }
    told.push(rig.step(json!({"find": {"text": "You wrote"}})).await.observation.unwrap().words());
    for selector in ["#secret", "#copy", "#echo", "#spaced", "#parts", "#list", "body", "#named"] {
        told.push(rig.read(selector).await.to_string());
    }
    let outcome = rig.step(json!({"expect": {"selector": "#echo"}})).await;
    told.push(serde_json::to_string(&outcome).unwrap());
    let missing = rig.try_step(json!({"click": {"role": "button", "name": "Nothing", "timeoutMs": 100}})).await;
    told.push(missing.unwrap_err().to_string());
    for text in &told {
        let squeezed = text.to_lowercase().replace([' ', '-'], "");
        assert!(!squeezed.contains("canary4821") && !squeezed.contains("48211190"), "{text}");
    }
    let picture = image::load_from_memory(&rig.browser.screenshot().await.unwrap()).unwrap().into_rgba8();
    for field in ["#secret", "#copy", "#hint", "#list"] {
        let at = rig.person.run(&format!("(() => {{ const b = document.querySelector('{field}').getBoundingClientRect(); return [b.left + 4, b.top + b.height / 2, b.left + b.width / 2].map(Math.round) }})()")).await;
        let at: Vec<u32> = at.as_array().unwrap().iter().map(|n| u32::try_from(n.as_u64().unwrap()).unwrap()).collect();
        assert!((at[0]..at[2]).all(|x| picture.get_pixel(x, at[1]).0 == [120, 120, 120, 255]), "{field}");
    }
    for text in ["#echo", "#spaced", "#parts"] {
        let at = rig.person.run(&format!("(() => {{ const r = document.createRange(); r.selectNodeContents(document.querySelector('{text}')); const b = r.getBoundingClientRect(); return [b.left + 2, b.top + b.height / 2, b.right - 2].map(Math.round) }})()")).await;
        let at: Vec<u32> = at.as_array().unwrap().iter().map(|n| u32::try_from(n.as_u64().unwrap()).unwrap()).collect();
        assert!((at[0]..at[2]).all(|x| picture.get_pixel(x, at[1]).0 == [120, 120, 120, 255]), "{text}");
    }
}
