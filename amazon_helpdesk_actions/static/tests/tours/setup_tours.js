import { registry } from "@web/core/registry";
import { see } from "@amazon_helpdesk_actions/../tests/tours/amazon_tours";

const click = (content, trigger) => ({ content, trigger, run: "click" });

const fill = (name, value) => ({
    content: `Fill in ${name}`,
    trigger: `.o_field_widget[name='${name}'] input:visible`,
    run: `edit ${value}`,
});

const STEPS = ".o_amazon_setup_steps";

const isAt = (step) =>
    see(`At the step ${step}`, `${STEPS} li[data-step='${step}'][aria-current='step']`);

const next = (step) => [
    click("Next", "button[name='action_setup_next']:visible"),
    isAt(step),
];

const says = (words) => see(words, `.o_field_widget[name='setup_checks']:contains(${words})`);

/** The list, the set-up from its first step to the connection, and away from it. */
registry.category("web_tour.tours").add("amazon_setup_begun", {
    steps: () => [
        click("Connect", ".o_control_panel button:contains(Connect a Seller Account)"),
        isAt("needs"),
        says("This server has a key"),
        fill("name", "Tour"),
        fill("seller_id", "ADEMOSELLER01"),
        ...next("place"),
        says("Choose both. Until then nothing is asked of Amazon"),
        click("Europe", ".o_field_widget[name='region'] input[data-value='eu']"),
        click("Simulator", ".o_field_widget[name='environment'] input[data-value='simulator']"),
        // the address is filled in by a default of the test
        see("It asks where", ".o_field_widget[name='simulator_url'] input:visible"),
        ...next("credentials"),
        fill("lwa_client_id", "amzn1.application-oa2-client.demo"),
        fill("lwa_client_secret", "wrong"),
        fill("lwa_refresh_token", "Atzr|demo-refresh-token"),
        ...next("connection"),
        says("does not accept this client ID with this client secret"),
        see("It is told beside the step", `${STEPS} li[data-step='connection'][data-outcome='wrong']`),
    ],
});

/** Back in the list, on with the set-up, by the steps down the side, to its end. */
registry.category("web_tour.tours").add("amazon_setup_resumed", {
    steps: () => [
        click("Go on", ".o_data_row:contains(Tour) button[name='action_open_setup']"),
        isAt("connection"),
        click("To the credentials", `${STEPS} li[data-step='credentials'] button`),
        isAt("credentials"),
        fill("lwa_client_secret", "demo-secret"),
        click("To the connection", `${STEPS} li[data-step='connection'] button`),
        isAt("connection"),
        says("Works."),
        ...next("marketplaces"),
        says("You sell in Germany"),
        ...next("mail"),
        says("Address of a team"),
        ...next("runner"),
        ...next("people"),
        says("Whoever may refund does so alone up to a careful limit"),
        ...next("order"),
        fill("setup_order_ref", "302-4481516-2342108"),
        click("Read it", "div[name='step_order'] button[name='action_setup_try']"),
        says("302-4481516-2342108 (Germany)"),
        click("Finish", "button[name='action_setup_next']:visible"),
        see("The account", ".o_field_widget[name='connection_answer']:contains(everything works)"),
    ],
});
