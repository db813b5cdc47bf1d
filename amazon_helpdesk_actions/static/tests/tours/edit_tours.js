import { registry } from "@web/core/registry";

const PANEL = ".o_amazon_order_panel";

const see = (content, trigger) => ({ content, trigger });

const click = (content, trigger) => ({ content, trigger, run: "click" });

const seeState = (state, text) =>
    see(
        `The panel says by itself: ${state}`,
        `${PANEL} .o_amazon_action[data-state='${state}']:contains(${text})`
    );

const letTimePass = () =>
    click(
        "Ask for the order to be read again",
        `${PANEL} .o_amazon_order_refresh`
    );

const openChoice = (label) =>
    click(
        "Open the choice of edits",
        `.o_statusbar_buttons button:contains(${label})`
    );

const choose = (label) =>
    click(`Choose: ${label}`, `.modal .o_amazon_choice:contains(${label})`);

const type = (field, text) => ({
    content: `Type ${text}`,
    trigger: `.modal .o_field_widget[name='${field}'] input`,
    run: `edit ${text}`,
});

registry.category("web_tour.tours").add("amazon_ticket_ship", {
    steps: () => [
        see("The order is unshipped", `${PANEL} .o_amazon_order_status:contains(Unshipped)`),
        openChoice("Edit Order"),
        see("What cannot be edited is said", ".modal:contains(lets nobody change)"),
        choose("Confirm Shipment"),
        see("It is said that it charges the buyer", ".modal:contains(Amazon charges the buyer)"),
        click("Open the carriers", ".modal .o_field_widget[name='carrier_code'] input"),
        click("Choose the carrier", ".o_select_menu_item:contains(/^DPD$/)"),
        type("tracking_number", "01126819"),
        click(
            "The lamp goes in another package",
            ".modal .o_data_row:first td[name='quantity']"
        ),
        {
            content: "None of it here",
            trigger: ".modal .o_data_row:first td[name='quantity'] input",
            run: "edit 0",
        },
        click("Confirm", ".modal-footer button:contains(/^Confirm the Shipment$/)"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        letTimePass(),
        seeState("accepted", "Amazon has accepted the shipment confirmation"),
        letTimePass(),
        seeState("confirmed", "as shipped"),
        see(
            "A part of the order is shipped",
            `${PANEL} .o_amazon_order_status:contains(Partially shipped)`
        ),
    ],
});

registry.category("web_tour.tours").add("amazon_sale_order_number", {
    steps: () => [
        openChoice("Edit at Amazon"),
        choose("Seller Order Number"),
        see(
            "The number of the sale order is offered",
            ".modal .o_field_widget[name='merchant_order_id'] input:value(S)"
        ),
        click("Send it", ".modal-footer button:contains(Send the Number to Amazon)"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        click("Look at the panel", ".o_notebook .nav-link:contains(Amazon)"),
        seeState("queued", "Nothing is sent to Amazon yet"),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_edit_impossible", {
    steps: () => [
        openChoice("Edit Order"),
        see("Why not", ".modal:contains(Amazon ships this order)"),
        see("Nothing to click", ".modal:not(:has(.o_amazon_choice:visible))"),
        click("Close", ".modal-footer button:contains(Close)"),
        see("The dialog is closed", "body:not(:has(.modal))"),
    ],
});
