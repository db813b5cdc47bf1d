import { registry } from "@web/core/registry";
import {
    PANEL,
    clickFooter,
    clickHeader,
    letTimePass,
    see,
    seeState,
} from "@amazon_helpdesk_actions/../tests/tours/amazon_tours";

const choose = (field, label) => [
    {
        content: `Open the choices of ${field}`,
        trigger: `.modal .o_field_widget[name='${field}'] input`,
        run: "click",
    },
    {
        content: `Choose: ${label}`,
        trigger: `.o_select_menu_item:contains(${label})`,
        run: "click",
    },
];

const enter = (field, value) => ({
    content: `Enter ${field}`,
    trigger: `.modal .o_field_widget[name='${field}'] input`,
    run: `edit ${value}`,
});

registry.category("web_tour.tours").add("amazon_ticket_mcf_change", {
    steps: () => [
        see("The fulfillment order is shown", `${PANEL}:contains(SHOP-1001)`),
        see("With its status", `${PANEL} .o_amazon_order_status:contains(Received)`),
        see("And that it waits", `${PANEL} .o_amazon_fulfillment:contains(On hold)`),
        see("No money", `${PANEL}:not(:has(th:contains(Refundable)))`),
        clickHeader("Change Fulfillment"),
        see("The address at Amazon is not shown", ".modal:not(:contains(Musterweg))"),
        ...choose("new_action", "Release"),
        {
            content: "Look at the units",
            trigger: ".modal .o_data_row:first-child .o_data_cell[name='new_units']",
            run: "click",
        },
        {
            content: "Send one unit less",
            trigger: ".modal .o_data_row:first-child .o_field_widget[name='new_units'] input",
            run: "edit 1",
        },
        {
            content: "Another address",
            trigger: ".modal .o_field_widget[name='with_address'] input",
            run: "click",
        },
        enter("address_name", "Erika Beispiel"),
        enter("address_line1", "Lindenallee 77"),
        enter("address_postal_code", "23552"),
        enter("address_city", "Lübeck"),
        enter("address_country_id", "Germany"),
        {
            content: "Choose the country",
            trigger: ".o-autocomplete--dropdown-item:contains(Germany)",
            run: "click",
        },
        clickFooter("Change It at Amazon"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        see("The address is in no note", ".o-mail-Chatter:not(:contains(Lindenallee))"),
        letTimePass(),
        seeState("submitted", "does not show it yet"),
        letTimePass(),
        seeState("confirmed", "as changed"),
        see("It waits no more", `${PANEL} .o_amazon_fulfillment:not(:contains(On hold))`),
    ],
});

registry.category("web_tour.tours").add("amazon_sale_order_mcf_cancel", {
    steps: () => [
        {
            content: "Look at the Amazon order",
            trigger: ".o_notebook .nav-link:contains(Amazon)",
            run: "click",
        },
        see("Its status", `${PANEL} .o_amazon_order_status:contains(Planning)`),
        clickHeader("Cancel at Amazon"),
        see("What it means", ".modal:contains(Amazon may be faster)"),
        clickFooter("Cancel the Order at Amazon"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        letTimePass(),
        seeState("submitted", "may still be shipped"),
        letTimePass(),
        seeState("confirmed", "as cancelled"),
        see("The order is cancelled", `${PANEL} .o_amazon_order_status:contains(Cancelled)`),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_mcf_blocked", {
    steps: () => [
        see("The package is shown", `${PANEL} .o_amazon_fulfillment:contains(DE4400218837)`),
        clickHeader("Change Fulfillment"),
        see("It is said why not", ".modal .alert-danger:contains(has shipped this order)"),
        clickFooter("Close"),
        see("Nothing was asked", `${PANEL}:not(:has(.o_amazon_action))`),
    ],
});
