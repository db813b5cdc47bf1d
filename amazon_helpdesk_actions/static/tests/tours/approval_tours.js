import { registry } from "@web/core/registry";
import {
    PANEL,
    chooseReason,
    clickFooter,
    clickHeader,
    letTimePass,
    see,
    seeState,
} from "@amazon_helpdesk_actions/../tests/tours/amazon_tours";

const click = (content, trigger) => ({ content, trigger, run: "click" });

registry.category("web_tour.tours").add("amazon_approval_asked", {
    steps: () => [
        clickHeader("Refund"),
        ...chooseReason("Customer return"),
        clickFooter("Refund the Buyer"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("to_approve", "A second person has to approve it by"),
        see("When it expires", `${PANEL} .o_amazon_action_approval:contains(Expires)`),
        see("Nothing to approve here", `${PANEL}:not(:has(.o_amazon_action_approve))`),
        click("Take it back", `${PANEL} .o_amazon_action_withdraw`),
        seeState("withdrawn", "Nothing was sent to Amazon"),
    ],
});

registry.category("web_tour.tours").add("amazon_approval_in_ticket", {
    steps: () => [
        seeState("to_approve", "asks to refund"),
        click("Decide", `${PANEL} .o_amazon_action_approve`),
        see("What is asked", ".modal .alert-info:contains(44.94)"),
        see("What is left", ".modal .o_amazon_approval_items .o_data_row"),
        see("The buyer", ".modal .o_amazon_approval_buyer"),
        clickFooter("Approve"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("queued", "approved it"),
        letTimePass(),
        seeState("submitted", "has not processed it yet"),
        letTimePass(),
        seeState("accepted", "Amazon has accepted"),
        letTimePass(),
        seeState("confirmed", "show the refund"),
    ],
});

registry.category("web_tour.tours").add("amazon_approval_in_list", {
    steps: () => [
        click("Decide", ".o_data_row button[name='action_decide']"),
        see("What is asked", ".modal .alert-info:contains(44.94)"),
        clickFooter("Refuse"),
        see("It wants a reason", ".modal:contains(Write down why)"),
        click("Close that", ".modal:contains(Write down why) footer button:contains(Close)"),
        {
            content: "Write it down",
            trigger: ".modal .o_field_widget[name='refusal_reason'] textarea",
            run: "edit The buyer keeps the kettle",
        },
        clickFooter("Refuse"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        see("Nothing is left to decide", ".o_view_nocontent"),
    ],
});

registry.category("web_tour.tours").add("amazon_approval_delegated", {
    steps: () => [
        click("New", ".o_list_button_add"),
        {
            content: "Who stands in",
            trigger: ".o_field_widget[name='delegate_id'] input",
            run: "edit Lena",
        },
        click("Choose her", ".ui-menu-item a:contains(Lena Lead)"),
        {
            content: "Until when",
            trigger: ".o_field_widget[name='date_to'] input, .o_field_widget[name='date_to'] button",
            run: "click",
        },
        {
            content: "Until when",
            trigger: ".o_field_widget[name='date_to'] input",
            run: "edit 12/31/2099 12:00:00",
        },
        click("Save", ".o_form_button_save"),
        see("It is in force", ".o_statusbar_status .o_arrow_button_current:contains(In Force)"),
        click("Back", ".o_breadcrumb .o_back_button"),
        see("It is listed", ".o_data_row:contains(Lena Lead)"),
    ],
});
