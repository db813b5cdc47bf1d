import { registry } from "@web/core/registry";

const PANEL = ".o_amazon_order_panel";

const see = (content, trigger) => ({ content, trigger });

const click = (content, trigger) => ({ content, trigger, run: "click" });

const choose = (field, label) => [
    click(`Open: ${field}`, `.modal .o_field_widget[name='${field}'] input`),
    click(`Choose: ${label}`, `.o_select_menu_item:contains(${label})`),
];

registry.category("web_tour.tours").add("amazon_ticket_refund_reply_close", {
    steps: () => [
        click("Open the refund", ".o_statusbar_buttons button:contains(Refund)"),
        ...choose("reason", "Customer return"),
        ...choose("reply_state", "Amazon has accepted it"),
        see(
            "The text, in the buyer's language",
            ".modal .o_field_widget[name='reply_preview']:contains(angenommen)"
        ),
        click("Close it then", ".modal .o_field_widget[name='close_document'] input"),
        click("One click", ".modal-footer button:contains(Refund the Buyer)"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        see("It is on its way", `${PANEL} .o_amazon_action[data-state='queued']`),
        see(
            "So is the reply",
            `${PANEL} .o_amazon_action_reply:contains(as soon as Amazon has accepted it)`
        ),
        click("Let time pass", `${PANEL} .o_amazon_order_refresh`),
        see("Amazon has it", `${PANEL} .o_amazon_action[data-state='submitted']`),
        see("Nobody was told", "body:not(:has(.o-mail-Message:contains(angenommen)))"),
        click("Let time pass", `${PANEL} .o_amazon_order_refresh`),
        see("Amazon has accepted it", `${PANEL} .o_amazon_action[data-state='accepted']`),
        see(
            "The buyer was written to",
            ".o-mail-Message:contains(angenommen):contains(44,94)"
        ),
        see("The panel says so", `${PANEL} .o_amazon_action_reply:contains(was written to)`),
        see("The ticket is closed", ".o-mail-Message:contains(the ticket was closed)"),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_reply", {
    steps: () => [
        click("Open the reply", ".o_statusbar_buttons button:contains(Reply)"),
        see(
            "It sends the buyer to Your Orders",
            ".modal .o_field_widget[name='text'] textarea:value(Stornierung beantragen)"
        ),
        see("It is said where it goes", ".modal:contains(Goes to 8x2k1f0q9v3m7tz@)"),
        ...choose("reply_lang", "English"),
        see(
            "The same in English",
            ".modal .o_field_widget[name='text'] textarea:value(Request cancellation)"
        ),
        {
            content: "Write a link",
            trigger: ".modal .o_field_widget[name='text'] textarea",
            run: "edit See www.nordlicht.example for 303-7719024-5588321",
        },
        click("Send it", ".modal-footer button:contains(Send)"),
        see("It is refused in words", ".modal:contains(There is a link in the text)"),
        click("Close the message", ".modal:contains(There is a link) .modal-footer button"),
        {
            content: "Write without it",
            trigger: ".modal .o_field_widget[name='text'] textarea",
            run: "edit We look into your order 303-7719024-5588321.",
        },
        click("Send it", ".modal-footer button:contains(Send)"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        see("It stands in the ticket", ".o-mail-Message:contains(We look into your order)"),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_reply_blocked", {
    steps: () => [
        click("Open the reply", ".o_statusbar_buttons button:contains(Reply)"),
        see("It is said why", ".modal .alert-danger:contains(no address of a buyer)"),
        see("There is no way to send", ".modal-footer:not(:has(button[name='action_send']))"),
        click("Close it", ".modal-footer button:contains(Close)"),
        see("It is closed", "body:not(:has(.modal))"),
    ],
});
