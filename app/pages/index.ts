/**
 * The pages of the shop: pure functions from data to whole HTML documents. They need no JavaScript in the browser, and
 * hold nothing inline, so that they work under `default-src 'self'`.
 */
export { cartPage } from './cart';
export { errorPage } from './error';
export { homePage } from './home';
export { loginPage } from './login';
export { orderPage, ordersPage } from './orders';
export { productPage } from './product';
