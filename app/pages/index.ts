/**
 * The pages of the shop: pure functions from data to complete HTML documents. They need no JavaScript in the browser and
 * contain no inline scripts or styles, so that they work with the policy `default-src 'self'`.
 */
export { cartPage } from './cart';
export { errorPage } from './error';
export { homePage } from './home';
export { loginPage } from './login';
export { orderPage, ordersPage } from './orders';
export { productPage } from './product';
